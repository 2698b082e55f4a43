-- How far an index build of a runner is.
SELECT p.phase, p.blocks_done, p.blocks_total, p.tuples_done, p.tuples_total, p.lockers_done, p.lockers_total,
       p.current_locker_pid, p.index_relid::regclass::text
  FROM pg_stat_progress_create_index p JOIN pg_stat_activity a ON a.pid = p.pid
 WHERE a.datname = current_database() AND a.application_name = {me}
