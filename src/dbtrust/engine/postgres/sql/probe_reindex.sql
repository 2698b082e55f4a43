-- Indexes that a REINDEX CONCURRENTLY left: of one table or of the table of one index, or of all (name null).
SELECT n.nspname::text, c.relname::text,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
   AND (%(name)s::text IS NULL
        OR to_regclass(%(name)s) IN (SELECT r FROM unnest(ARRAY[t.oid, (SELECT o.oid FROM pg_class o WHERE o.reltoastrelid = t.oid)]) r)
        OR i.indrelid = (SELECT o.indrelid FROM pg_index o WHERE o.indexrelid = to_regclass(%(name)s)))
