-- Columns that refuse NULL (those of a primary key are its own promise), generated ones and identities.
SELECT a.attrelid::int8 AS relation, a.attname AS name,
       a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint p
                                     WHERE p.conrelid = a.attrelid AND p.contype = 'p' AND a.attnum = ANY (p.conkey)) AS not_null,
       o.conname AS not_null_name,
       a.attgenerated <> '' AS generated, a.attidentity = 'a' AS identity,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS expression,
       coalesce(NOT o.convalidated, false) AS not_valid,
       a.attinhcount > 0 AND NOT a.attislocal AS inherited
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_constraint o ON o.conrelid = a.attrelid AND o.contype = 'n' AND o.conkey = ARRAY[a.attnum]
 WHERE a.attrelid = ANY (%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attnotnull OR a.attgenerated <> '' OR a.attidentity <> '')
 ORDER BY a.attrelid, a.attnum
