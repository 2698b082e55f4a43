-- A view's own rule is its definition and is told there.
SELECT 'rule' AS kind,
       w.ev_class AS relation,
       ARRAY[n.nspname, r.relname, w.rulename]::text[] AS path,
       pg_catalog.pg_get_ruledef(w.oid, false) AS definition,
       CASE w.ev_enabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' ELSE 'always' END AS state,
       pg_catalog.obj_description(w.oid, 'pg_rewrite') AS comment
  FROM pg_rewrite w
  JOIN pg_class r ON r.oid = w.ev_class
  JOIN pg_namespace n ON n.oid = r.relnamespace
 WHERE w.ev_class = ANY(%(relations)s) AND w.rulename <> '_RETURN'
