-- The indexes of a table: name, is it good to use, does a session build it, definition, unique.
SELECT c.relname::text, i.indisvalid AND i.indisready AND i.indislive,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid OR (p.relid = i.indrelid AND p.index_relid = 0)),
       pg_get_indexdef(c.oid), i.indisunique, n.nspname::text
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indrelid = to_regclass(%(table)s)
