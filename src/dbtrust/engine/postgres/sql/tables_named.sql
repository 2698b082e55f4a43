-- The OIDs of tables by schema and name; what is no table is left out.
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind = 'p'
  FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
 WHERE c.relkind IN ('r', 'p')
