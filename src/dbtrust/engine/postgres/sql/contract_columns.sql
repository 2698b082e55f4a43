-- Their columns. A NOT NULL that is NOT VALID (PostgreSQL 18) says nothing of the rows that are there.
WITH RECURSIVE domains AS (
  SELECT t.oid AS start, t.oid, t.typbasetype, t.typnotnull, t.typtypmod, t.typtype FROM pg_type t
  WHERE t.oid IN (SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = ANY (%(oids)s::oid[]))
  UNION ALL
  SELECT d.start, b.oid, b.typbasetype, b.typnotnull, coalesce(nullif(d.typtypmod, -1), b.typtypmod), b.typtype
  FROM domains d JOIN pg_type b ON b.oid = d.typbasetype
  WHERE d.typtype = 'd'
)
SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       format_type(base.oid, NULL) AS base,
       base_type.typcategory AS category,
       (a.attnotnull AND c.relkind <> 'f'
        AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = a.attrelid AND o.contype = 'n'
                                                      AND o.conkey = ARRAY[a.attnum] AND NOT o.convalidated))
         OR (c.relkind <> 'f' AND (SELECT bool_or(d.typnotnull) FROM domains d WHERE d.start = a.atttypid)) AS not_null,
       d.adbin::text AS default, a.attgenerated <> '' AS generated, a.attidentity AS identity,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = base.oid ORDER BY e.enumsortorder) AS labels,
       a.atttypid <> base.oid AS domain,
       format_type(base.oid, CASE WHEN a.atttypid = base.oid THEN a.atttypmod ELSE base.typtypmod END) AS plain,
       CASE WHEN base.oid IN (1042, 1043)
            THEN nullif(coalesce(nullif(a.atttypmod, -1), base.typtypmod), -1) - 4 END AS length
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN domains base ON base.start = a.atttypid AND base.typtype <> 'd'
JOIN pg_type base_type ON base_type.oid = base.oid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY (%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum;
