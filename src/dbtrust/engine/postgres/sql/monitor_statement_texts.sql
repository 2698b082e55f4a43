-- Texts of these statements alone: the server reads its whole file of texts for the first of them. Of long ones
-- only the beginning is sent. `own`: sent by `monitor` itself.
SELECT queryid::text AS queryid, max(left(query, %(length)s)) AS query, max(length(query)) AS length,
       bool_or(query LIKE '/* dbtrust monitor */%%') AS own
  FROM pg_stat_statements(true)
 WHERE queryid = ANY(%(ids)s::bigint[])
 GROUP BY queryid
