-- Since when statements are counted, and how often the least used were thrown out.
SELECT dealloc, stats_reset FROM pg_stat_statements_info()
