-- Every session but this one; ages in ms. `cut`: the text may lack its end, by track_activity_query_size or by ours.
-- `parsed`: the server has read the statement, so that its literals end where they seem to; one that failed has no id.
SELECT pid, leader_pid, datname AS database, usename AS role, application_name AS application, backend_type,
       state, wait_event_type, wait_event, client_addr IS NULL AS local,
       backend_start, xact_start, query_start, state_change,
       (extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS xact_ms,
       (extract(epoch FROM clock_timestamp() - query_start) * 1000)::float8 AS query_ms,
       (extract(epoch FROM clock_timestamp() - state_change) * 1000)::float8 AS state_ms,
       age(backend_xmin) AS xmin_age, backend_xid IS NOT NULL AS writes,
       left(query, 4000) AS query,
       length(query) > 4000
         OR octet_length(query) >= pg_size_bytes(current_setting('track_activity_query_size')) - 4 AS cut,
       query_id IS NOT NULL OR state = 'idle in transaction'
         OR (state = 'active' AND clock_timestamp() - query_start > interval '1 s') AS parsed
  FROM pg_stat_activity
 WHERE pid <> pg_backend_pid() AND backend_type <> 'walsender'
 ORDER BY pid
