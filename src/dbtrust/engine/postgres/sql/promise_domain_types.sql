-- For each domain the checks of the whole chain below it.
WITH RECURSIVE chain AS (
  SELECT t.oid AS start, t.oid, t.typbasetype FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT c.start, t.oid, t.typbasetype FROM chain c JOIN pg_type t ON t.oid = c.typbasetype AND t.typtype = 'd'
)
SELECT format_type(c.start, NULL) AS type, array_agg(pg_get_expr(o.conbin, 0) ORDER BY o.conname) AS texts
  FROM chain c JOIN pg_constraint o ON o.contypid = c.oid AND o.contype = 'c'
 GROUP BY c.start
