-- Transactions that a CONCURRENTLY will wait for, as in runner_waits: those of this database with a snapshot, oldest first.
SELECT 'its snapshot', pid, coalesce(application_name, ''), coalesce(state, ''),
       extract(epoch FROM clock_timestamp() - xact_start)::float8,
       to_char(coalesce(query_start, xact_start), 'HH24:MI:SS')
  FROM pg_stat_activity
 WHERE datname = current_database() AND backend_xmin IS NOT NULL AND backend_type = 'client backend'
   AND xact_start < clock_timestamp() - make_interval(secs => {seconds})
   AND application_name <> {me} AND pid <> pg_backend_pid()
 ORDER BY xact_start
