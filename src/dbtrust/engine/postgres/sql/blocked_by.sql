SELECT %s = ANY (pg_blocking_pids(%s))
