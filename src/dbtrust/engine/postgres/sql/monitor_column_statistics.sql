-- What ANALYZE saw of columns that lead an index: only of tables that the role may read.
SELECT DISTINCT s.schemaname AS schema, s.tablename AS "table", s.attname AS "column",
       s.null_frac::float8 AS null_fraction, s.n_distinct::float8 AS distinct_values
  FROM pg_stats s
  JOIN pg_class c ON c.relname = s.tablename
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
  JOIN pg_index i ON i.indrelid = c.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] AND a.attname = s.attname
 WHERE s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema' AND NOT s.inherited
   AND i.indnkeyatts = 1
