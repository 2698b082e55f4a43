-- The columns of relations (schema, name pairs) in their order.
SELECT n.nspname AS schema, t.relname AS relation, a.attname AS name,
       pg_catalog.format_type(a.atttypid, NULL) AS type
  FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS w(schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = w.relation
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY n.nspname, t.relname, a.attnum
