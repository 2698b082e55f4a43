-- Functions, procedures and aggregates by what they are; the body of a BEGIN ATOMIC function is its parsed text.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       'pg_proc' AS class,
       p.oid,
       ARRAY[n.nspname, p.proname]::text[] AS path,
       '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' AS suffix,
       pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
       pg_catalog.pg_get_function_result(p.oid) AS result,
       l.lanname AS language,
       coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
       p.probin AS library,
       CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       p.prosecdef AS security_definer,
       p.proisstrict AS strict,
       p.proleakproof AS leakproof,
       p.prokind = 'w' AS "window",
       p.procost AS cost,
       p.prorows AS rows,
       nullif(p.prosupport::oid, 0)::regproc::text AS support,
       ARRAY(SELECT o FROM unnest(p.proconfig) o ORDER BY 1) AS config,
       ARRAY(SELECT pg_catalog.format_type(o, NULL) FROM unnest(p.protrftypes) o ORDER BY 1) AS transforms,
       CASE WHEN g.aggfnoid IS NOT NULL THEN ARRAY[
         'kind=' || g.aggkind::text, 'direct_arguments=' || g.aggnumdirectargs,
         'sfunc=' || g.aggtransfn, 'stype=' || pg_catalog.format_type(g.aggtranstype, NULL), 'sspace=' || g.aggtransspace,
         'initcond=' || coalesce(g.agginitval, 'NULL'), 'finalfunc=' || g.aggfinalfn, 'finalfunc_modify=' || g.aggfinalmodify::text,
         'finalfunc_extra=' || g.aggfinalextra, 'combinefunc=' || g.aggcombinefn, 'serialfunc=' || g.aggserialfn,
         'deserialfunc=' || g.aggdeserialfn, 'msfunc=' || g.aggmtransfn, 'minvfunc=' || g.aggminvtransfn,
         'mfinalfunc=' || g.aggmfinalfn, 'minitcond=' || coalesce(g.aggminitval, 'NULL'), 'sortop=' || g.aggsortop::regoper::text
       ] END AS "aggregate",
       pg_catalog.obj_description(p.oid, 'pg_proc') AS comment
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_aggregate g ON g.aggfnoid = p.oid
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
   AND (%(only)s::oid[] IS NULL OR p.oid = ANY(%(only)s::oid[]))
