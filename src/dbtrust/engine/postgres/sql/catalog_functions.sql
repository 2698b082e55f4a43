-- Functions, procedures and aggregates with body, language, volatility, security and configuration.
SELECT 'function', n.nspname || '.' || p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'kind', p.prokind,
         'definition', CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END,
         'arguments', pg_catalog.pg_get_function_arguments(p.oid),
         'result', pg_catalog.pg_get_function_result(p.oid),
         'language', l.lanname, 'volatility', p.provolatile, 'strict', p.proisstrict, 'leakproof', p.proleakproof,
         'security definer', p.prosecdef, 'parallel', p.proparallel, 'cost', p.procost, 'rows', p.prorows,
         'config', p.proconfig,
         'aggregate', CASE WHEN p.prokind = 'a' THEN pg_catalog.jsonb_build_array(
            a.aggtransfn::text, a.aggfinalfn::text, a.agginitval, a.aggtranstype::pg_catalog.regtype::text, a.aggcombinefn::text, a.aggkind) END,
         'grants', (SELECT pg_catalog.jsonb_agg(g::text ORDER BY g::text) FROM pg_catalog.unnest(
                      COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS g),
         'owner', pg_catalog.pg_get_userbyid(p.proowner),
         'comment', pg_catalog.obj_description(p.oid, 'pg_proc')))
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS x
                  WHERE x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND x.objid = p.oid AND x.deptype IN ('e', 'i'))
