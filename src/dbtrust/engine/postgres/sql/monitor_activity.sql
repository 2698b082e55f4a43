-- Every session but this one; ages in ms. A text is cut at 2,000 characters.
SELECT pid, leader_pid, datname AS database, usename AS role, application_name AS application, backend_type,
       state, wait_event_type, wait_event, client_addr IS NULL AS local,
       backend_start, xact_start, query_start, state_change,
       (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS xact_ms,
       (extract(epoch FROM clock_timestamp() - query_start) * 1000)::float8 AS query_ms,
       (extract(epoch FROM clock_timestamp() - state_change) * 1000)::float8 AS state_ms,
       age(backend_xmin) AS xmin_age, backend_xid IS NOT NULL AS writes,
       left(query, 2000) AS query
  FROM pg_stat_activity
 WHERE pid <> pg_backend_pid() AND backend_type <> 'walsender'
 ORDER BY pid
