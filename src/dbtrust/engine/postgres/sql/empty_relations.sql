-- The user's tables and materialized views that hold no row, by what ANALYZE counted. A partitioned table, or one with
-- children by INHERITS, is empty where all below it are; one that was never analyzed (-1) is not known to be.
WITH RECURSIVE below AS (
  SELECT oid AS top, oid, relkind, reltuples FROM pg_class WHERE relkind IN ('r', 'p', 'm')
   UNION
  SELECT b.top, c.oid, c.relkind, c.reltuples
    FROM below b JOIN pg_inherits i ON i.inhparent = b.oid JOIN pg_class c ON c.oid = i.inhrelid
)
SELECT n.nspname, c.relname, c.relkind = 'm'
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM below b WHERE b.top = c.oid AND b.relkind <> 'p' AND b.reltuples <> 0)
 ORDER BY 1, 2
