-- Constraints of tables and of domains, with their full definition.
SELECT 'constraint',
       CASE WHEN k.conrelid <> 0 THEN n.nspname || '.' || c.relname ELSE tn.nspname || '.' || t.typname END || '.' || k.conname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'type', k.contype,
         'definition', pg_catalog.pg_get_constraintdef(k.oid),
         'validated', k.convalidated,
         'deferrable', k.condeferrable,
         'deferred', k.condeferred,
         'no inherit', k.connoinherit,
         'inherited', CASE WHEN NOT k.conislocal THEN true END,
         'on domain', CASE WHEN k.contypid <> 0 THEN true END,
         'table', CASE WHEN k.conrelid <> 0 THEN n.nspname || '.' || c.relname END,
         'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.place)
                     FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                     JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
         'references', CASE WHEN k.contype = 'f' THEN k.confrelid::pg_catalog.regclass::text END,
         'of parent', CASE WHEN k.conparentid <> 0 THEN true END,
         'comment', pg_catalog.obj_description(k.oid, 'pg_constraint')))
FROM pg_catalog.pg_constraint AS k
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
LEFT JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.typnamespace
WHERE COALESCE(n.nspname, tn.nspname) !~ '^pg_' AND COALESCE(n.nspname, tn.nspname) <> 'information_schema'
  AND k.contype NOT IN ('t')
  AND (k.contype <> 'n' OR c.oid IS NULL OR k.conname !~ '_not_null$')
  AND COALESCE(c.relname, '') <> 'dbtrust_migration'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.deptype = 'e' AND x.objid = COALESCE(c.oid, t.oid)
                    AND x.classid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_type'::pg_catalog.regclass))
