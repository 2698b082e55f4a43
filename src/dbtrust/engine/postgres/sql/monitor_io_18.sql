-- Reads and writes by kind of process, WAL included; 18 counts bytes of each kind.
SELECT backend_type, object, context, reads, read_time, read_bytes, writes, write_time, write_bytes,
       extends, extend_bytes, hits, evictions, fsyncs, stats_reset
  FROM pg_stat_io
 WHERE coalesce(reads, 0) + coalesce(writes, 0) + coalesce(extends, 0) + coalesce(hits, 0) > 0
 ORDER BY backend_type, object, context
