-- Databases of dbtrust's own: (run, name, the run's journal where it has one).
SELECT pg_catalog.split_part(datname, '_', 2), datname, CASE WHEN datname ~ '_journal_' THEN pg_catalog.shobj_description(oid, 'pg_database') END
  FROM pg_catalog.pg_database
 WHERE datname ~ '^dbtrust_[0-9a-f]{8}_'
 ORDER BY datname
