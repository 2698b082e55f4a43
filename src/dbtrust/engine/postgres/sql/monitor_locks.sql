-- Sessions that wait for a lock, who holds it, and on what. Asked of waiting sessions alone: pg_blocking_pids
-- stops the lock manager for a moment each time.
SELECT l.pid, pg_blocking_pids(l.pid) AS blocked_by, l.locktype AS kind, l.mode,
       (extract(epoch FROM clock_timestamp() - l.waitstart) * 1000)::float8 AS waited_ms,
       n.nspname AS schema, c.relname AS relation
  FROM pg_locks l
  LEFT JOIN pg_class c ON c.oid = l.relation
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT l.granted AND l.pid IS NOT NULL
 ORDER BY l.pid
