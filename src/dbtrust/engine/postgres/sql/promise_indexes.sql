-- Unique indexes that no constraint stands for.
WITH RECURSIVE copies AS (
  SELECT i.indexrelid AS root, i.indexrelid AS oid FROM pg_index i WHERE i.indrelid = ANY (%(oids)s::oid[]) AND i.indisunique
  UNION ALL
  SELECT c.root, h.inhrelid FROM copies c JOIN pg_inherits h ON h.inhparent = c.oid
)
SELECT i.indrelid::int8 AS relation, c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attnum > 0
                AND (a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                  OR (i.indexprs IS NOT NULL AND i.indexprs::text ~ (':varattno ' || a.attnum || '\y')))
              ORDER BY 1) AS columns,
       pg_get_expr(i.indpred, i.indrelid) AS text,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k ORDER BY k) AS elements,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_equal,
       ARRAY(SELECT DISTINCT r.relname::text FROM copies k JOIN pg_class r ON r.oid = k.oid WHERE k.root = i.indexrelid) AS reported,
       CASE WHEN NOT (i.indisvalid AND i.indisready AND i.indislive)
            THEN 'the index is invalid: it was never built to its end' ELSE '' END AS broken
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = ANY (%(oids)s::oid[]) AND i.indisunique AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
 ORDER BY i.indrelid, c.relname
