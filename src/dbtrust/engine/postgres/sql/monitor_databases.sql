-- Counters of every database that can be connected to; `current` is this one.
SELECT d.oid, d.datname AS name, d.datname = current_database() AS current,
       d.datallowconn AS allows_connections, d.datistemplate AS template,
       age(d.datfrozenxid) AS xid_age, mxid_age(d.datminmxid) AS mxid_age,
       d.datcollversion AS collation_version,
       pg_database_collation_actual_version(d.oid) AS collation_actual_version,
       s.numbackends, s.xact_commit, s.xact_rollback, s.blks_read, s.blks_hit, s.blk_read_time, s.blk_write_time,
       s.temp_files, s.temp_bytes, s.deadlocks, s.conflicts, s.checksum_failures, s.checksum_last_failure,
       s.session_time, s.active_time, s.sessions_fatal, s.sessions_killed, s.stats_reset
  FROM pg_database d
  LEFT JOIN pg_stat_database s ON s.datid = d.oid
 ORDER BY d.datname
