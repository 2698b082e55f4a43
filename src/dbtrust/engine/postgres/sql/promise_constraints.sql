-- Constraints that the tables have of their own (what is inherited is its parent's), with the copies on partitions.
WITH RECURSIVE copies AS (
  SELECT o.oid AS root, o.oid, o.conname FROM pg_constraint o WHERE o.conrelid = ANY (%(oids)s::oid[])
  UNION ALL
  SELECT c.root, o.oid, o.conname FROM copies c JOIN pg_constraint o ON o.conparentid = c.oid
)
SELECT o.conrelid::int8 AS relation, o.conname AS name, o.contype AS type,
       pg_get_constraintdef(o.oid) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY k (number, place)
               JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       coalesce(pg_get_expr(o.conbin, o.conrelid), pg_get_expr(i.indpred, i.indrelid)) AS text,
       ARRAY(SELECT p.prosrc FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid AND p.oid >= 16384
              WHERE d.classid = 'pg_constraint'::regclass AND d.objid = o.oid AND d.refclassid = 'pg_proc'::regclass) AS sources,
       ARRAY(SELECT DISTINCT c.conname::text FROM copies c WHERE c.root = o.oid) AS reported,
       CASE WHEN o.condeferred THEN 'initially deferred' WHEN o.condeferrable THEN 'deferrable' ELSE '' END AS deferrable,
       CASE WHEN o.contype = 'x' THEN
         ARRAY(SELECT pg_get_indexdef(o.conindid, k.place::int, true)
                 FROM generate_series(1, array_length(o.conexclop, 1)) k (place) ORDER BY k.place) END AS elements,
       CASE WHEN o.contype = 'x' THEN
         ARRAY(SELECT format('OPERATOR(%%I.%%s)', n.nspname, p.oprname)
                 FROM unnest(o.conexclop) WITH ORDINALITY k (op, place)
                 JOIN pg_operator p ON p.oid = k.op JOIN pg_namespace n ON n.oid = p.oprnamespace
                ORDER BY k.place) END AS operators,
       CASE WHEN o.contype = 'x' THEN
         ARRAY(SELECT a.attname::text FROM pg_depend d
                 JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = o.conindid AND d.refobjid = o.conrelid
                  AND d.refclassid = 'pg_class'::regclass
                UNION
               SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = o.conrelid AND a.attnum = ANY (o.conkey)
                ORDER BY 1) END AS index_columns,
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_equal,
       o.confrelid::int8 AS target,
       ARRAY(SELECT a.attname::text FROM unnest(o.confkey) WITH ORDINALITY k (number, place)
               JOIN pg_attribute a ON a.attrelid = o.confrelid AND a.attnum = k.number ORDER BY k.place) AS target_columns,
       o.confdeltype AS on_delete, o.confupdtype AS on_update,
       ARRAY(SELECT a.attname::text FROM unnest(o.confdelsetcols) k (number)
               JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number) AS set_columns,
       CASE WHEN NOT coalesce((to_jsonb(o) ->> 'conenforced')::boolean, true) THEN 'it is NOT ENFORCED'
            WHEN NOT o.convalidated THEN 'it is NOT VALID: rows that were there before were never checked'
            WHEN i.indexrelid IS NOT NULL AND NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'its index is invalid'
            WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = o.oid AND t.tgisinternal AND t.tgenabled = 'D')
            THEN 'its triggers are disabled'
            ELSE '' END AS broken
  FROM pg_constraint o
  LEFT JOIN pg_index i ON i.indexrelid = o.conindid AND o.contype IN ('p', 'u', 'x')
 WHERE o.conrelid = ANY (%(oids)s::oid[]) AND o.contype IN ('c', 'f', 'p', 'u', 'x')
   AND o.conparentid = 0 AND (o.coninhcount = 0 OR o.conislocal)
 ORDER BY o.conrelid, o.conname
