-- WAL that was written.
SELECT wal_records AS records, wal_fpi AS full_page_images, wal_bytes AS bytes, wal_buffers_full AS buffers_full,
       stats_reset
  FROM pg_stat_wal
