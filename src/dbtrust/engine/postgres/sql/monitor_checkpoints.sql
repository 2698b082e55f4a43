-- Checkpoints that the clock began, and those that were asked for (WAL was full). Until 16.
SELECT checkpoints_timed AS timed, checkpoints_req AS requested, checkpoint_write_time AS write_time,
       checkpoint_sync_time AS sync_time, buffers_checkpoint AS buffers_written, stats_reset
  FROM pg_stat_bgwriter
