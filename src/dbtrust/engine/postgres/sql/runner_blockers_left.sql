-- Of those sessions, the ones whose transaction still runs.
SELECT pid FROM pg_stat_activity
 WHERE pid = ANY ({pids}::int[]) AND xact_start IS NOT NULL AND xact_start < clock_timestamp() - make_interval(secs => {seconds})
