-- Sequences and the column that each belongs to. `last` is null where the role may not see it, or none was drawn;
-- `unseen` tells which.
SELECT n.nspname AS schema, c.relname AS name, s.seqmin AS min, s.seqmax AS max, s.seqincrement AS increment,
       s.seqcycle AS cycles, s.seqtypid::regtype::text AS type,
       NOT has_sequence_privilege(c.oid, 'USAGE, SELECT') AS unseen,
       CASE WHEN has_sequence_privilege(c.oid, 'USAGE, SELECT') THEN pg_sequence_last_value(c.oid) END AS last,
       tn.nspname AS table_schema, t.relname AS "table", a.attname AS "column",
       a.atttypid::regtype::text AS column_type
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    SELECT d.refobjid, d.refobjsubid FROM pg_depend d
     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
       AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    UNION ALL
    SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
     WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
     LIMIT 1
  ) o ON true
  LEFT JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
  LEFT JOIN pg_class t ON t.oid = o.refobjid
  LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
 ORDER BY n.nspname, c.relname
