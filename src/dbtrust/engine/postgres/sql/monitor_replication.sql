-- Servers that receive WAL from this one: bytes that they have not replayed yet.
SELECT pid, usename AS role, application_name AS application, state, sync_state, backend_start,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       replay_lsn)::float8 AS lag_bytes,
       (extract(epoch FROM replay_lag) * 1000)::float8 AS lag_ms
  FROM pg_stat_replication
 ORDER BY application_name, pid
