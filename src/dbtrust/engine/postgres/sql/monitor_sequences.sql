-- Sequences and the narrowest column that each one feeds: its owner's, and those whose default draws from it. A domain
-- counts as the type that it is made of. `last` is null where the role may not see it, or none was drawn;
-- `unseen` tells which.
SELECT n.nspname AS schema, c.relname AS name, s.seqmin AS min, s.seqmax AS max, s.seqincrement AS increment,
       s.seqcycle AS cycles, s.seqtypid::regtype::text AS type,
       NOT has_sequence_privilege(c.oid, 'USAGE, SELECT') AS unseen,
       CASE WHEN has_sequence_privilege(c.oid, 'USAGE, SELECT') THEN pg_sequence_last_value(c.oid) END AS last,
       tn.nspname AS table_schema, t.relname AS "table", a.attname AS "column",
       a.base::regtype::text AS column_type
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
    WITH RECURSIVE fed AS (
      SELECT d.refobjid AS relation, d.refobjsubid AS number, 0 AS place FROM pg_depend d
       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
         AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
      UNION ALL
      SELECT f.adrelid, f.adnum, 1 FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
       WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
    ), typed AS (
      SELECT f.relation, f.number, f.place, x.attname, x.atttypid AS type
        FROM fed f JOIN pg_attribute x ON x.attrelid = f.relation AND x.attnum = f.number
      UNION ALL
      SELECT y.relation, y.number, y.place, y.attname, b.typbasetype
        FROM typed y JOIN pg_type b ON b.oid = y.type AND b.typtype = 'd'
    )
    SELECT y.relation, y.attname, y.type AS base
      FROM typed y JOIN pg_type b ON b.oid = y.type AND b.typtype <> 'd'
     ORDER BY CASE b.typname WHEN 'int2' THEN 2 WHEN 'int4' THEN 4 ELSE 8 END, y.place, y.relation, y.number
     LIMIT 1
  ) a ON true
  LEFT JOIN pg_class t ON t.oid = a.relation
  LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
 ORDER BY n.nspname, c.relname
