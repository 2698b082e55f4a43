-- How many rows each relation has, by its statistics.
SELECT n.nspname, c.relname, c.reltuples::float8
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
