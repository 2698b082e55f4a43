-- Where the ledger is (there: true), the visible one first; and where it would be made (there: false).
SELECT n.nspname::text AS schema, true AS there, n.nspname IS NOT DISTINCT FROM current_schema() AS current
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = 'dbtrust_migration' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'
UNION ALL
SELECT current_schema()::text, false, true
 ORDER BY 2 DESC, 3 DESC, 1
