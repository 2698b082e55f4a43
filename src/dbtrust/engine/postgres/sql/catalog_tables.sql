-- Tables, views, materialized views, foreign tables and composite types with their columns in order.
SELECT CASE WHEN c.relkind = 'v' THEN 'view' WHEN c.relkind = 'm' THEN 'view' WHEN c.relkind = 'c' THEN 'type' ELSE 'table' END,
       n.nspname || '.' || c.relname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'kind', c.relkind,
         'persistence', c.relpersistence,
         'options', c.reloptions,
         'access method', am.amname,
         'replica identity', c.relreplident,
         'row security', c.relrowsecurity,
         'forced row security', c.relforcerowsecurity,
         'partition of', (SELECT pg_catalog.jsonb_agg(i.inhparent::pg_catalog.regclass::text ORDER BY i.inhseqno)
                          FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid),
         'partition bound', pg_catalog.pg_get_expr(c.relpartbound, c.oid),
         'partition key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
         'of type', CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END,
         'definition', CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
         'populated', CASE WHEN c.relkind = 'm' THEN c.relispopulated END,
         'tablespace', ts.spcname,
         'server', fs.srvname,
         'foreign options', ft.ftoptions,
         'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(
                      COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) AS g),
         'owner', pg_catalog.pg_get_userbyid(c.relowner),
         'comment', pg_catalog.obj_description(c.oid, 'pg_class'),
         'columns', COALESCE((
           SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
             'name', a.attname,
             'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
             'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::pg_catalog.regcollation::text END,
             'not null', a.attnotnull,
             'default', CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
             'generated', CASE WHEN a.attgenerated <> '' THEN a.attgenerated::text || ' ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
             'identity', NULLIF(a.attidentity, ''),
             'storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END,
             'compression', NULLIF(a.attcompression, ''),
             'statistics', NULLIF(a.attstattarget, -1),
             'options', a.attoptions,
             'inherited', CASE WHEN NOT a.attislocal THEN true END,
             'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(a.attacl) AS g),
             'comment', pg_catalog.col_description(c.oid, a.attnum)
           )) ORDER BY a.attnum)
           FROM pg_catalog.pg_attribute AS a
           JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
           LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]')))
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname <> 'heap'
LEFT JOIN pg_catalog.pg_tablespace AS ts ON ts.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_foreign_table AS ft ON ft.ftrelid = c.oid
LEFT JOIN pg_catalog.pg_foreign_server AS fs ON fs.oid = ft.ftserver
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND c.relname <> 'dbtrust_migration'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid AND x.deptype = 'e')
