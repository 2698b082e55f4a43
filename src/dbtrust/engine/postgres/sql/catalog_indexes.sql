-- Indexes with each key's expression, operator class, collation and order, as rules and differences need them.
SELECT 'index', n.nspname || '.' || i.relname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'table', n.nspname || '.' || t.relname,
         'definition', pg_catalog.pg_get_indexdef(x.indexrelid),
         'method', am.amname,
         'unique', x.indisunique,
         'primary', x.indisprimary,
         'exclusion', x.indisexclusion,
         'nulls not distinct', x.indnullsnotdistinct,
         'valid', x.indisvalid,
         'immediate', x.indimmediate,
         'clustered', x.indisclustered,
         'replica identity', x.indisreplident,
         'predicate', pg_catalog.pg_get_expr(x.indpred, x.indrelid),
         'options', i.reloptions,
         'tablespace', ts.spcname,
         'constraint', (SELECT k.conname FROM pg_catalog.pg_constraint AS k
                        WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
         'referenced', (SELECT true FROM pg_catalog.pg_constraint AS k
                        WHERE k.conindid = x.indexrelid AND k.contype = 'f' LIMIT 1),
         'partition', CASE WHEN i.relispartition THEN true END,
         'comment', pg_catalog.obj_description(i.oid, 'pg_class'),
         'statistics', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.attnum, a.attstattarget) ORDER BY a.attnum)
                        FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = i.oid AND a.attstattarget >= 0),
         'keys', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                           'expression', pg_catalog.pg_get_indexdef(x.indexrelid, s.k, true),
                           'column', (SELECT a.attname FROM pg_catalog.pg_attribute AS a
                                      WHERE a.attrelid = x.indrelid AND a.attnum = x.indkey[s.k - 1]),
                           'operator class', (SELECT ons.nspname || '.' || o.opcname FROM pg_catalog.pg_opclass AS o
                                              JOIN pg_catalog.pg_namespace AS ons ON ons.oid = o.opcnamespace
                                              WHERE o.oid = x.indclass[s.k - 1]),
                           'collation', NULLIF(x.indcollation[s.k - 1], 0)::pg_catalog.regcollation::text,
                           'option', x.indoption[s.k - 1]) ORDER BY s.k)
                  FROM pg_catalog.generate_series(1, x.indnkeyatts) AS s (k)),
         'include', (SELECT pg_catalog.jsonb_agg(pg_catalog.pg_get_indexdef(x.indexrelid, s.k, true) ORDER BY s.k)
                     FROM pg_catalog.generate_series(x.indnkeyatts + 1, x.indnatts) AS s (k))))
FROM pg_catalog.pg_index AS x
JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = x.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = i.relnamespace
JOIN pg_catalog.pg_am AS am ON am.oid = i.relam
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = i.reltablespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.relname <> 'dbtrust_migration'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
                  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')
