-- Schemas, extensions, extended statistics, default privileges, publications, event triggers, casts, collations, operators.
SELECT 'schema', n.nspname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(
                      COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS g),
         'owner', pg_catalog.pg_get_userbyid(n.nspowner),
         'comment', pg_catalog.obj_description(n.oid, 'pg_namespace')))
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'extension', e.extname,
       pg_catalog.jsonb_build_object('version', e.extversion, 'schema', n.nspname)
FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
UNION ALL
SELECT 'statistics', n.nspname || '.' || s.stxname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_statisticsobjdef(s.oid), 'target', NULLIF(s.stxstattarget, -1),
         'comment', pg_catalog.obj_description(s.oid, 'pg_statistic_ext')))
FROM pg_catalog.pg_statistic_ext AS s JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
WHERE n.nspname !~ '^pg_'
UNION ALL
SELECT 'default privilege', COALESCE(n.nspname, '') || '.' || d.defaclobjtype::text || '.' || pg_catalog.pg_get_userbyid(d.defaclrole),
       pg_catalog.jsonb_build_object('grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text)
                                                FROM pg_catalog.unnest(d.defaclacl) AS g),
                                     'owner', pg_catalog.pg_get_userbyid(d.defaclrole))
FROM pg_catalog.pg_default_acl AS d LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
UNION ALL
SELECT 'publication', p.pubname,
       pg_catalog.jsonb_build_object(
         'all tables', p.puballtables, 'insert', p.pubinsert, 'update', p.pubupdate, 'delete', p.pubdelete,
         'truncate', p.pubtruncate, 'via root', p.pubviaroot,
         'tables', (SELECT pg_catalog.jsonb_agg(r.prrelid::pg_catalog.regclass::text || COALESCE(' ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid), '')
                                     || COALESCE(' ' || r.prattrs::text, '') ORDER BY r.prrelid::pg_catalog.regclass::text)
                    FROM pg_catalog.pg_publication_rel AS r WHERE r.prpubid = p.oid),
         'schemas', (SELECT pg_catalog.jsonb_agg(s.pnnspid::pg_catalog.regnamespace::text ORDER BY 1)
                     FROM pg_catalog.pg_publication_namespace AS s WHERE s.pnpubid = p.oid))
FROM pg_catalog.pg_publication AS p
UNION ALL
SELECT 'event trigger', e.evtname,
       pg_catalog.jsonb_build_object('event', e.evtevent, 'function', e.evtfoid::pg_catalog.regprocedure::text,
                                     'enabled', e.evtenabled, 'tags', e.evttags)
FROM pg_catalog.pg_event_trigger AS e
UNION ALL
SELECT 'collation', n.nspname || '.' || c.collname,
       pg_catalog.jsonb_build_object('provider', c.collprovider, 'deterministic', c.collisdeterministic,
                                     'collate', c.collcollate, 'ctype', c.collctype)
FROM pg_catalog.pg_collation AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'operator', n.nspname || '.' || o.oid::pg_catalog.regoperator::text,
       pg_catalog.jsonb_build_object('function', o.oprcode::text, 'result', pg_catalog.format_type(o.oprresult, NULL),
                                     'hashes', o.oprcanhash, 'merges', o.oprcanmerge)
FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND x.objid = o.oid AND x.deptype = 'e')
UNION ALL
SELECT 'cast', pg_catalog.format_type(k.castsource, NULL) || ' AS ' || pg_catalog.format_type(k.casttarget, NULL),
       pg_catalog.jsonb_build_object('function', k.castfunc::pg_catalog.regprocedure::text, 'context', k.castcontext)
FROM pg_catalog.pg_cast AS k
WHERE k.oid >= 16384
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass AND x.objid = k.oid AND x.deptype = 'e')
