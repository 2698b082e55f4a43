-- Reads and writes by kind of process, of 16 and 17: bytes are counted in op_bytes.
SELECT backend_type, object, context, reads, read_time, reads * op_bytes AS read_bytes, writes, write_time,
       writes * op_bytes AS write_bytes, extends, extends * op_bytes AS extend_bytes, hits, evictions, fsyncs,
       stats_reset
  FROM pg_stat_io
 WHERE coalesce(reads, 0) + coalesce(writes, 0) + coalesce(extends, 0) + coalesce(hits, 0) > 0
 ORDER BY backend_type, object, context
