-- Where the ledger is (there: true), the visible one first; and where it would be made (there: false). What else has
-- its name in the current schema (whole: false) stands in its way.
SELECT n.nspname::text AS schema, true AS there, n.nspname IS NOT DISTINCT FROM current_schema() AS current,
       c.relkind IN ('r', 'p') AS whole
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relname = 'dbtrust_migration' AND n.nspname !~ '^pg_'
   AND (c.relkind IN ('r', 'p') OR n.nspname = current_schema())
UNION ALL
SELECT current_schema()::text, false, true, true
 ORDER BY 2 DESC, 3 DESC, 1
