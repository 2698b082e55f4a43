-- The tables whose indexes and foreign keys are compared: those with two indexes, or with a foreign key.
SELECT c.oid
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.relname <> 'dbtrust_migration'
   AND (c.oid IN (SELECT indrelid FROM pg_index GROUP BY indrelid HAVING count(*) > 1)
        OR c.oid IN (SELECT conrelid FROM pg_constraint WHERE contype = 'f'))
   AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')
