-- Of the user's tables: rows inserted, and rows updated or deleted, as the session has counted and not yet handed on: also those of
-- its earlier transactions. Tables without any are left out.
SELECT n.nspname::text, c.relname::text, x.inserted, x.changed
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
 CROSS JOIN LATERAL (SELECT pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
                            pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid) AS changed) x
 WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND (x.inserted > 0 OR x.changed > 0)
