-- Settings that a diagnostic reads; all that differ from the default are many, and may hold secrets.
SELECT name, setting, unit, boot_val AS default, source, pending_restart, context
  FROM pg_settings
 WHERE pending_restart OR name IN (
   'archive_mode', 'autovacuum', 'autovacuum_freeze_max_age', 'autovacuum_max_workers',
   'autovacuum_multixact_freeze_max_age', 'autovacuum_vacuum_scale_factor', 'autovacuum_vacuum_threshold',
   'autovacuum_analyze_scale_factor', 'autovacuum_analyze_threshold', 'checkpoint_timeout', 'cluster_name', 'compute_query_id',
   'data_checksums',
   'enable_bitmapscan', 'enable_hashagg', 'enable_hashjoin', 'enable_indexonlyscan', 'enable_indexscan',
   'enable_material', 'enable_mergejoin', 'enable_nestloop', 'enable_seqscan', 'enable_sort',
   'fsync', 'full_page_writes', 'hot_standby_feedback', 'idle_in_transaction_session_timeout', 'log_lock_waits',
   'log_min_duration_statement', 'log_min_duration_sample', 'log_temp_files', 'max_connections',
   'max_replication_slots', 'max_slot_wal_keep_size', 'max_wal_size', 'pg_stat_statements.max',
   'pg_stat_statements.track', 'pg_stat_statements.track_planning', 'pg_stat_statements.track_utility',
    'reserved_connections', 'shared_buffers',
   'statement_timeout', 'superuser_reserved_connections', 'synchronous_commit', 'track_activities',
   'track_counts', 'track_io_timing', 'work_mem', 'zero_damaged_pages', 'ignore_checksum_failure')
 ORDER BY name
