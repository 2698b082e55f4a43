SELECT 'trigger' AS kind,
       t.tgrelid AS relation,
       ARRAY[n.nspname, r.relname, t.tgname]::text[] AS path,
       n.nspname AS schema,
       r.relname AS "table",
       t.tgname AS name,
       pg_catalog.pg_get_triggerdef(t.oid, false) AS definition,
       t.tgfoid::regprocedure::text AS function,
       CASE t.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' ELSE 'always' END AS state,
       t.tgparentid <> 0 AS inherited,
       pg_catalog.obj_description(t.oid, 'pg_trigger') AS comment
  FROM pg_trigger t
  JOIN pg_class r ON r.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
 WHERE t.tgrelid = ANY(%(relations)s) AND NOT t.tgisinternal
