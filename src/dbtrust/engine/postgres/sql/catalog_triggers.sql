-- Triggers with their state, rules and row security policies.
SELECT 'trigger', n.nspname || '.' || c.relname || '.' || g.tgname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_triggerdef(g.oid), 'enabled', g.tgenabled,
         'table', n.nspname || '.' || c.relname, 'of parent', CASE WHEN g.tgparentid <> 0 THEN true END,
         'comment', pg_catalog.obj_description(g.oid, 'pg_trigger')))
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'trigger state', n.nspname || '.' || c.relname || '.' || k.conname || '.' || g.tgtype::text,
       pg_catalog.jsonb_build_object('enabled', g.tgenabled)
FROM pg_catalog.pg_trigger AS g
JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_constraint AS k ON k.oid = g.tgconstraint
WHERE g.tgisinternal AND g.tgenabled <> 'O' AND n.nspname !~ '^pg_'
UNION ALL
SELECT 'rule', n.nspname || '.' || c.relname || '.' || r.rulename,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'definition', pg_catalog.pg_get_ruledef(r.oid), 'enabled', r.ev_enabled,
         'comment', pg_catalog.obj_description(r.oid, 'pg_rewrite')))
FROM pg_catalog.pg_rewrite AS r
JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'policy', n.nspname || '.' || c.relname || '.' || p.polname,
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'command', p.polcmd, 'permissive', p.polpermissive,
         'roles', (SELECT pg_catalog.jsonb_agg(CASE WHEN r = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(r) END ORDER BY 1)
                   FROM pg_catalog.unnest(p.polroles) AS r),
         'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid), 'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
         'comment', pg_catalog.obj_description(p.oid, 'pg_policy')))
FROM pg_catalog.pg_policy AS p
JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
