-- Keys, then included columns. indoption: bit 1 is DESC, bit 2 is NULLS FIRST (pg_index.h).
SELECT i.indexrelid AS "index",
       k > i.indnkeyatts AS included,
       pg_catalog.pg_get_indexdef(i.indexrelid, k, true) AS expression,
       t.attname AS "column",
       opn.nspname || '.' || op.opcname AS opclass,
       a.attoptions AS opclass_options,
       CASE WHEN i.indcollation[k - 1] <> 0 THEN con.nspname || '.' || co.collname END AS collation,
       i.indcollation[k - 1] IN (0, t.attcollation) AS column_collation,
       (i.indoption[k - 1] & 1) = 1 AS descending,
       (i.indoption[k - 1] & 2) = 2 AS nulls_first,
       nullif(a.attstattarget, -1) AS statistics_target
  FROM pg_index i
 CROSS JOIN LATERAL generate_series(1, i.indnatts) AS k
  JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = k
  LEFT JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = i.indkey[k - 1] AND i.indkey[k - 1] <> 0
  LEFT JOIN pg_opclass op ON k <= i.indnkeyatts AND op.oid = i.indclass[k - 1]
  LEFT JOIN pg_namespace opn ON opn.oid = op.opcnamespace
  LEFT JOIN pg_collation co ON k <= i.indnkeyatts AND co.oid = i.indcollation[k - 1]
  LEFT JOIN pg_namespace con ON con.oid = co.collnamespace
 WHERE i.indrelid = ANY(%(relations)s)
 ORDER BY i.indexrelid, k
