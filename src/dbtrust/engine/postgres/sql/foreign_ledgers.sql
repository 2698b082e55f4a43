-- Tables that may be the ledger of another migration tool, with their columns.
SELECT n.nspname AS schema, c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY (%s) AND n.nspname NOT LIKE 'pg\_%%'
GROUP BY 1, 2
ORDER BY 1, 2
