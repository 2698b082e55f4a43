-- Indexes, their state, and the parts from which redundancy is judged. pg_constraint has no index on conindid: it
-- is read once, not once for each index.
WITH by_index AS MATERIALIZED (
  SELECT conindid,
         bool_or(contype = 'f') AS referenced,
         max(conname::text) FILTER (WHERE contype IN ('p', 'u', 'x')) AS conname
    FROM pg_constraint
   WHERE conindid <> 0
   GROUP BY conindid
)
SELECT i.indexrelid AS oid,
       i.indrelid AS relation,
       n.nspname AS schema,
       c.relname AS name,
       r.relname AS "table",
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       am.amname AS method,
       i.indisunique AS "unique",
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_not_distinct,
       i.indisprimary AS "primary",
       i.indisexclusion AS exclusion,
       i.indimmediate AS immediate,
       i.indisvalid AND i.indisready AND i.indislive AS valid,
       i.indisclustered AS clustered,
       i.indisreplident AS replica_identity,
       k.conname AS "constraint",
       k.referenced,
       p.inhparent::regclass::text AS partition_of,
       ARRAY(SELECT o FROM unnest(c.reloptions) o ORDER BY 1) AS options,
       ts.spcname AS tablespace,
       pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) AS predicate,
       pg_catalog.obj_description(i.indexrelid, 'pg_class') AS comment
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class r ON r.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN by_index k ON k.conindid = i.indexrelid
  LEFT JOIN pg_inherits p ON p.inhrelid = i.indexrelid
  LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
 WHERE i.indrelid = ANY(%(relations)s)
