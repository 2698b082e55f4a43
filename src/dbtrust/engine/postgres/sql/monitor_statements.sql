-- Counters of the statements of this database, without their texts. pg_stat_statements 1.10 (PostgreSQL 15, 16).
SELECT userid, dbid, queryid::text AS queryid, toplevel, NULL AS stats_since,
       plans, total_plan_time, calls, total_exec_time, min_exec_time, max_exec_time, mean_exec_time,
       stddev_exec_time, rows, shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written,
       temp_blks_read, temp_blks_written, blk_read_time AS read_time, blk_write_time AS write_time, wal_bytes
  FROM pg_stat_statements(false)
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
