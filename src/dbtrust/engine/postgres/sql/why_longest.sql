-- The bytes of the longest value of an expression over a table, as it is stored.
SELECT coalesce(max(pg_catalog.pg_column_size({element})), 0) FROM {relation}
