-- The average width of a row of each table, from what ANALYZE saw: for an estimate of bloat.
SELECT c.oid, sum((1 - s.null_frac) * s.avg_width)::float8 AS width, count(*) AS columns,
       bool_or(s.null_frac > 0) AS nulls
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
 WHERE c.relkind IN ('r', 'm') AND c.relpages > 127
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 GROUP BY c.oid
