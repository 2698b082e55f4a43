SELECT 'schema' AS kind,
       'pg_namespace' AS class,
       n.oid,
       ARRAY[n.nspname]::text[] AS path,
       pg_catalog.obj_description(n.oid, 'pg_namespace') AS comment
  FROM pg_namespace n
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
