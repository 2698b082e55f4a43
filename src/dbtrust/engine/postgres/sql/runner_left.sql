-- Sessions of an earlier run that the server has not ended: what they do, and whether they build an index.
SELECT a.pid, a.state, coalesce(p.phase, '')
  FROM pg_stat_activity a LEFT JOIN pg_stat_progress_create_index p ON p.pid = a.pid
 WHERE a.datname = current_database() AND a.application_name = {holder} AND a.pid <> pg_backend_pid()
   AND a.state IS DISTINCT FROM 'idle'
