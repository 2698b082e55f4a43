-- What a B-tree index holds that may outgrow its entry (see why_columns.sql), as expressions over its table, and
-- whether the table is small enough (64 MiB) to be read for the longest.
SELECT pg_catalog.pg_get_indexdef(i.indexrelid, a.attnum, false) AS element,
       CASE WHEN k.key > 0 THEN (SELECT o.attname FROM pg_attribute o WHERE o.attrelid = i.indrelid AND o.attnum = k.key) END AS name,
       pg_catalog.pg_relation_size(i.indrelid) <= 64 * 1024 * 1024 AS small
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = i.indexrelid
  JOIN pg_type y ON y.oid = a.atttypid
  CROSS JOIN LATERAL (SELECT i.indkey[a.attnum - 1] AS key) k
 WHERE n.nspname = %(schema)s AND c.relname = %(index)s
   AND y.typlen = -1 AND y.typcategory NOT IN ('N', 'I', 'R')
   AND (y.typcategory = 'A' OR a.atttypmod < 0 OR a.atttypmod > 675 + 4)
 ORDER BY a.attnum
