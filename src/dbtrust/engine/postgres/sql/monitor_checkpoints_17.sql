-- Checkpoints that the clock began, and those that were asked for (WAL was full). Since 17.
SELECT num_timed AS timed, num_requested AS requested, write_time, sync_time, buffers_written, stats_reset
  FROM pg_stat_checkpointer
