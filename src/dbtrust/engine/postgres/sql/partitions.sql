-- Every partition and every index of one, with the topmost parent of each.
SELECT CASE WHEN c.relkind IN ('i', 'I') THEN 'index' ELSE 'table' END AS kind,
       n.nspname, c.relname, rn.nspname AS root_schema, r.relname AS root_name
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class AS r ON r.oid = pg_catalog.pg_partition_root(c.oid)
JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE c.relispartition AND r.oid <> c.oid
