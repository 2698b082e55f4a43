-- Tables of the user that rows can be inserted into, and what a row needs to find a partition.
SELECT c.oid::int8 AS oid,
       c.relispartition AS partition,
       c.relrowsecurity AS row_security,
       c.relforcerowsecurity AS forced,
       n.nspname AS schema,
       c.relname AS name,
       ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1) AS policies,
       CASE WHEN c.relrowsecurity THEN
         ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
               FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner ORDER BY 1)
       END AS others,
       CASE WHEN c.relispartition THEN pg_get_partition_constraintdef(c.oid)
            WHEN c.relkind = 'p' THEN
              (SELECT string_agg('(' || coalesce(pg_get_partition_constraintdef(t.relid), 'true') || ')', ' OR ')
               FROM pg_partition_tree(c.oid) t WHERE t.isleaf AND t.relid <> c.oid)
       END AS bound
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT (n.nspname = 'public' AND c.relname = 'dbtrust_migration')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
   AND (%(only)s::oid[] IS NULL OR c.oid = ANY(%(only)s::oid[]))
 ORDER BY n.nspname, c.relname
