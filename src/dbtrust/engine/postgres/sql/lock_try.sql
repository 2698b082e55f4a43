-- Never waits: a waiting session holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for it.
SELECT pg_try_advisory_lock(1684174962, 1835625330)
