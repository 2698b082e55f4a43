-- Old transactions that hold locks on relations of this database, as in runner_waits, and: the relation's own name, the mode.
SELECT c.oid::regclass::text, b.pid, coalesce(b.application_name, ''), coalesce(b.state, ''),
       extract(epoch FROM clock_timestamp() - b.xact_start)::float8,
       to_char(coalesce(b.query_start, b.xact_start), 'HH24:MI:SS'), c.relname::text, l.mode
  FROM pg_stat_activity b
  JOIN pg_locks l ON l.pid = b.pid AND l.granted AND l.locktype = 'relation'
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 WHERE b.datname = current_database() AND b.xact_start < clock_timestamp() - make_interval(secs => {seconds})
   AND b.application_name <> {me} AND b.pid <> pg_backend_pid()
 ORDER BY b.xact_start, c.relname
