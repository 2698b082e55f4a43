-- Columns of types that hold traps.
SELECT n.nspname AS schema, r.relname AS "table", a.attname AS "column",
       format_type(a.atttypid, a.atttypmod) AS type, t.typname AS base
  FROM pg_attribute a
  JOIN pg_class r ON r.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p') AND NOT r.relispartition
   AND a.atttypid IN ('json'::regtype, 'bpchar'::regtype, 'money'::regtype, 'timestamp'::regtype, 'timetz'::regtype)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND r.relname <> 'dbtrust_migration'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'e')
 ORDER BY n.nspname, r.relname, a.attnum
