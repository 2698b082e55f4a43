-- The columns that the body of the temporary function names, as the server recorded them when it was made.
SELECT n.nspname AS schema, t.relname AS relation, a.attname AS name
  FROM pg_depend d
  JOIN pg_class t ON t.oid = d.refobjid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
 WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
   AND d.objid = (SELECT p.oid FROM pg_proc p WHERE p.proname = 'dbtrust_contract' AND p.pronamespace = pg_my_temp_schema())
