-- The index of a name: in the schema that was given, else the first in the search path, else anywhere.
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x'))
         AS of_constraint
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %(name)s AND c.relkind IN ('i', 'I') AND (%(schema)s::text IS NULL OR n.nspname = %(schema)s)
ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(false), n.nspname) NULLS LAST, n.nspname
LIMIT 1
