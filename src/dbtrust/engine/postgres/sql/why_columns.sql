-- The columns of relations (schema, name pairs) in their order. `unbounded`: a value may outgrow an entry of a B-tree,
-- about 2,700 bytes; a character has up to 4, and 4 of a typmod are the header's.
SELECT n.nspname AS schema, t.relname AS relation, a.attname AS name,
       pg_catalog.format_type(a.atttypid, NULL) AS type,
       y.typlen = -1 AND y.typcategory NOT IN ('N', 'I', 'R')
       AND (y.typcategory = 'A' OR m.typmod < 0 OR m.typmod > 675 + 4) AS unbounded
  FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS w(schema, relation)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = w.relation
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type y ON y.oid = a.atttypid
  CROSS JOIN LATERAL (SELECT CASE WHEN y.typtype = 'd' THEN y.typtypmod ELSE a.atttypmod END AS typmod) m
 ORDER BY n.nspname, t.relname, a.attnum
