-- Texts of these statements alone: the server reads its whole file of texts for the first of them. Of long ones
-- only the beginning is sent. `own_of`: the roles that monitor and whose text of it has the mark; another role's
-- statement may have the same id, and the mark alone hides nothing.
SELECT queryid::text AS queryid,
       coalesce(max(left(query, %(length)s)) FILTER (WHERE query NOT LIKE '/* dbtrust monitor */%%'),
                max(left(query, %(length)s))) AS query,
       max(length(query)) AS length, max(length(query)) > %(length)s AS cut,
       array_agg(DISTINCT userid) 
         FILTER (WHERE query LIKE '/* dbtrust monitor */%%' AND (
           pg_has_role(userid, 'pg_read_all_stats', 'USAGE')
           OR userid = (SELECT oid FROM pg_roles WHERE rolname = current_user))) AS own_of
  FROM pg_stat_statements(true)
 WHERE queryid = ANY(%(ids)s::bigint[])
 GROUP BY queryid
