-- An index that is not valid is kept up and never planned with (plancat.c, get_relation_info). Its partitions go
-- with it. Needs a superuser; the caller rolls back.
UPDATE pg_catalog.pg_index
SET indisvalid = false
WHERE indexrelid = %(index)s
   OR indexrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree(%(index)s))
