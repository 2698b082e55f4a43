-- Every table, materialized view and index of the user's with the number of the file that holds it.
SELECT c.oid::bigint AS id, format('%I.%I', n.nspname, c.relname) AS name,
       coalesce(pg_relation_filenode(c.oid), 0)::bigint AS file
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i', 'p', 'I', 'S', 'v', 'f', 'c') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
