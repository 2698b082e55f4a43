-- Enums with their labels in order, domains, ranges and base types; sequences without their last value.
SELECT 'type', n.nspname || '.' || t.typname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'kind', t.typtype,
         'labels', (SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
                    FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid),
         'base', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
         'not null', CASE WHEN t.typtype = 'd' THEN t.typnotnull END,
         'default', t.typdefault,
         'collation', CASE WHEN t.typtype = 'd' THEN NULLIF(t.typcollation, 0)::pg_catalog.regcollation::text END,
         'subtype', pg_catalog.format_type(r.rngsubtype, NULL),
         'subtype operator class', (SELECT o.opcname FROM pg_catalog.pg_opclass AS o WHERE o.oid = r.rngsubopc),
         'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(
                      COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))) AS g),
         'owner', pg_catalog.pg_get_userbyid(t.typowner),
         'comment', pg_catalog.obj_description(t.oid, 'pg_type')))
FROM pg_catalog.pg_type AS t
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
WHERE t.typtype IN ('e', 'd', 'r', 'b') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT (t.typtype = 'b' AND t.typelem <> 0)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND x.objid = t.oid AND x.deptype = 'e')
UNION ALL
SELECT 'sequence', n.nspname || '.' || c.relname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'type', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement,
         'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
         'persistence', c.relpersistence,
         'owned by', (SELECT d.refobjid::pg_catalog.regclass::text || '.' || a.attname || CASE WHEN d.deptype = 'i' THEN ' identity' ELSE '' END
                      FROM pg_catalog.pg_depend AS d
                      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                        AND d.refobjsubid > 0 LIMIT 1),
         'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(
                      COALESCE(c.relacl, pg_catalog.acldefault('s', c.relowner))) AS g),
         'owner', pg_catalog.pg_get_userbyid(c.relowner),
         'comment', pg_catalog.obj_description(c.oid, 'pg_class')))
FROM pg_catalog.pg_sequence AS s
JOIN pg_catalog.pg_class AS c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relname !~ '^dbtrust_migration_'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')
