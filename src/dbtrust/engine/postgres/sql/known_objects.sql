-- Schemas, types and functions as pg_locks names them: (class, id).
SELECT 'pg_namespace'::regclass::oid::bigint, oid::bigint FROM pg_namespace
UNION ALL SELECT 'pg_type'::regclass::oid::bigint, oid::bigint FROM pg_type
UNION ALL SELECT 'pg_proc'::regclass::oid::bigint, oid::bigint FROM pg_proc
