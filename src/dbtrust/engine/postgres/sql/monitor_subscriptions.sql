-- Errors of logical replication on the receiving side.
SELECT subname AS name, apply_error_count AS apply_errors, sync_error_count AS sync_errors, stats_reset
  FROM pg_stat_subscription_stats
 ORDER BY subname
