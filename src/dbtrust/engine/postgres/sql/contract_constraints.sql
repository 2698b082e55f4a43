-- Their foreign keys and checks, in the order in which the server tries them (by name).
SELECT o.conrelid::int8 AS relation, o.conname AS name, o.contype AS kind, coalesce(o.conkey, '{}') AS columns,
       o.confrelid::int8 AS target, coalesce(o.confkey, '{}') AS target_columns,
       o.condeferrable AS deferrable,
       CASE WHEN o.contype = 'c' THEN pg_get_expr(o.conbin, o.conrelid) END AS text,
       CASE WHEN o.convalidated THEN o.conbin::text END AS tree
FROM pg_constraint o
WHERE o.conrelid = ANY (%(oids)s::oid[]) AND o.contype IN ('c', 'f')
ORDER BY o.conrelid, o.conname;
