-- What a runner waits for: (relation, blocker's pid, application, state, seconds since its transaction began, its start).
SELECT coalesce(c.oid::regclass::text, CASE l.locktype WHEN 'virtualxid' THEN 'its snapshot' WHEN 'transactionid' THEN 'its rows' ELSE l.locktype END, 'a lock') AS relation, b.pid, coalesce(b.application_name, ''), coalesce(b.state, ''),
       extract(epoch FROM clock_timestamp() - b.xact_start)::float8,
       to_char(coalesce(b.query_start, b.xact_start, b.backend_start), 'HH24:MI:SS'), b.backend_type
  FROM pg_stat_activity me
  CROSS JOIN LATERAL unnest(pg_blocking_pids(me.pid)) AS blocking(pid)
  JOIN pg_stat_activity b ON b.pid = blocking.pid
  LEFT JOIN pg_locks l ON l.pid = me.pid AND NOT l.granted
  LEFT JOIN pg_class c ON l.locktype = 'relation' AND c.oid = l.relation
 WHERE me.datname = current_database() AND me.application_name = {me} AND me.pid <> pg_backend_pid()
