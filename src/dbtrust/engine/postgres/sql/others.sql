-- Kinds that are rare: each told by one line of text.
WITH members AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')
SELECT 'collation' AS kind, 'pg_collation' AS class, o.oid, ARRAY[n.nspname, o.collname]::text[] AS path, '' AS suffix,
       concat_ws(' ', 'provider=' || o.collprovider::text, 'deterministic=' || o.collisdeterministic,
                 (SELECT string_agg(key || '=' || value, ' ' ORDER BY key) FROM jsonb_each_text(to_jsonb(o))
                   WHERE key IN ('collcollate', 'collctype', 'colliculocale', 'colllocale', 'collicurules'))) AS definition,
       pg_catalog.obj_description(o.oid, 'pg_collation') AS comment
  FROM pg_collation o JOIN pg_namespace n ON n.oid = o.collnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND ('pg_collation'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'operator', 'pg_operator', o.oid, ARRAY[n.nspname, o.oprname]::text[],
       '(' || coalesce(nullif(o.oprleft, 0)::regtype::text, 'none') || ', ' || o.oprright::regtype::text || ')',
       concat_ws(' ', 'result=' || o.oprresult::regtype::text, 'function=' || o.oprcode, 'commutator=' || o.oprcom::regoper::text,
                 'negator=' || o.oprnegate::regoper::text, 'restrict=' || o.oprrest, 'join=' || o.oprjoin,
                 'hashes=' || o.oprcanhash, 'merges=' || o.oprcanmerge),
       pg_catalog.obj_description(o.oid, 'pg_operator')
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'operator class', 'pg_opclass', o.oid, ARRAY[n.nspname, o.opcname]::text[], ' using ' || am.amname,
       concat_ws(' ', 'type=' || o.opcintype::regtype::text, 'default=' || o.opcdefault, 'storage=' || o.opckeytype::regtype::text,
                 (SELECT string_agg(a.amopstrategy || ':' || a.amopopr::regoperator::text, ' ' ORDER BY a.amopstrategy, a.amopopr::regoperator::text)
                    FROM pg_amop a WHERE a.amopfamily = o.opcfamily),
                 (SELECT string_agg(a.amprocnum || ':' || a.amproc, ' ' ORDER BY a.amprocnum, a.amproc::text)
                    FROM pg_amproc a WHERE a.amprocfamily = o.opcfamily)),
       pg_catalog.obj_description(o.oid, 'pg_opclass')
  FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am am ON am.oid = o.opcmethod
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND ('pg_opclass'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'cast', 'pg_cast', o.oid, ARRAY[]::text[], '(' || o.castsource::regtype::text || ' AS ' || o.casttarget::regtype::text || ')',
       concat_ws(' ', 'function=' || o.castfunc::regprocedure::text, 'context=' || o.castcontext::text, 'method=' || o.castmethod::text),
       pg_catalog.obj_description(o.oid, 'pg_cast')
  FROM pg_cast o
 WHERE o.oid >= 16384
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT 'text search configuration', 'pg_ts_config', o.oid, ARRAY[n.nspname, o.cfgname]::text[], '',
       concat_ws(' ', 'parser=' || p.prsname,
                 (SELECT string_agg((SELECT k.alias FROM pg_catalog.ts_token_type(o.cfgparser) k WHERE k.tokid = m.maptokentype)
                                    || ':' || m.mapseqno || ':' || m.mapdict::regdictionary::text, ' '
                                    ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = o.oid)),
       pg_catalog.obj_description(o.oid, 'pg_ts_config')
  FROM pg_ts_config o JOIN pg_namespace n ON n.oid = o.cfgnamespace JOIN pg_ts_parser p ON p.oid = o.cfgparser
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND ('pg_ts_config'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'text search dictionary', 'pg_ts_dict', o.oid, ARRAY[n.nspname, o.dictname]::text[], '',
       concat_ws(' ', 'template=' || t.tmplname, o.dictinitoption),
       pg_catalog.obj_description(o.oid, 'pg_ts_dict')
  FROM pg_ts_dict o JOIN pg_namespace n ON n.oid = o.dictnamespace JOIN pg_ts_template t ON t.oid = o.dicttemplate
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND ('pg_ts_dict'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'foreign data wrapper', 'pg_foreign_data_wrapper', o.oid, ARRAY[o.fdwname]::text[], '',
       concat_ws(' ', 'handler=' || o.fdwhandler::regproc, 'validator=' || o.fdwvalidator::regproc, o.fdwoptions::text),
       pg_catalog.obj_description(o.oid, 'pg_foreign_data_wrapper')
  FROM pg_foreign_data_wrapper o
 WHERE ('pg_foreign_data_wrapper'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'foreign server', 'pg_foreign_server', o.oid, ARRAY[o.srvname]::text[], '',
       concat_ws(' ', 'wrapper=' || w.fdwname, 'type=' || o.srvtype, 'version=' || o.srvversion, o.srvoptions::text),
       pg_catalog.obj_description(o.oid, 'pg_foreign_server')
  FROM pg_foreign_server o JOIN pg_foreign_data_wrapper w ON w.oid = o.srvfdw
 WHERE ('pg_foreign_server'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
