SELECT 'extension' AS kind,
       ARRAY[e.extname]::text[] AS path,
       e.extversion AS version,
       n.nspname AS schema,
       pg_catalog.obj_description(e.oid, 'pg_extension') AS comment
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
