-- The user's tables whose rows the open transaction has written or looked for some to write: INSERT, UPDATE and DELETE take
-- this lock also where they find nothing. With it, how many rows were inserted, and how many updated or deleted.
SELECT n.nspname::text, c.relname::text, pg_stat_get_xact_tuples_inserted(c.oid),
       pg_stat_get_xact_tuples_updated(c.oid) + pg_stat_get_xact_tuples_deleted(c.oid)
  FROM pg_locks l
  JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p') AND c.oid >= 16384
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
 WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
