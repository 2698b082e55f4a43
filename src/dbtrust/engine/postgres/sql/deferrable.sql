-- Constraints that SET CONSTRAINTS can name, and is each deferred when a transaction begins?
-- A name that another table of the schema has for one that is not deferrable cannot be made deferred again.
SELECT n.nspname, c.conname, bool_or(c.condeferred)
  FROM pg_catalog.pg_constraint c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
 WHERE c.condeferrable AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
                    WHERE o.connamespace = c.connamespace AND o.conname = c.conname AND NOT o.condeferrable)
 GROUP BY n.nspname, c.conname
