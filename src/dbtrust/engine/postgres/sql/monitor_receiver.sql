-- A standby's own view: WAL received and not replayed, and how old the last replayed transaction is.
SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8 AS behind_bytes,
       pg_is_wal_replay_paused() AS paused,
       (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000)::float8 AS replay_age_ms,
       (SELECT count(*) FROM pg_stat_wal_receiver) AS receivers
 WHERE pg_is_in_recovery()
