-- An index that is not valid is not planned with, and neither are its partitions' parts. Only a superuser may say
-- so; the transaction is rolled back.
UPDATE pg_index SET indisvalid = false
 WHERE indexrelid = ANY(%(oids)s)
    OR indexrelid IN (SELECT t.relid FROM unnest(%(oids)s) AS o(oid) CROSS JOIN pg_partition_tree(o.oid) AS t)
