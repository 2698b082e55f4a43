-- The indexes of relations (schema, name pairs) as statements that make them again. `backs` is the constraint behind one.
SELECT tn.nspname AS schema, t.relname AS relation, n.nspname AS index_schema, c.relname AS name,
       i.indexrelid AS oid, pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       (SELECT k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1) AS backs
  FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS a(schema, relation)
  JOIN pg_namespace tn ON tn.nspname = a.schema
  JOIN pg_class t ON t.relnamespace = tn.oid AND t.relname = a.relation
  JOIN pg_index i ON i.indrelid = t.oid AND i.indisvalid
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 ORDER BY t.relname, c.relname
