-- The relations of a plan and their indexes: the root of the partition tree of each, every table or index above it
-- (by partitions or by INHERITS), and what this transaction has read so far. The counters wait in this backend until the transaction ends (pgstat_relation.c), so inside
-- one transaction they are exact; those of parallel workers are not in them.
WITH RECURSIVE asked AS (
  SELECT c.oid, n.nspname, c.relname,
         CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid END AS root
    FROM unnest(%(schemas)s::text[], %(relations)s::text[]) AS a(schema, relation)
    JOIN pg_namespace n ON n.nspname = a.schema
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = a.relation
), above AS (
  SELECT i.inhrelid AS oid, i.inhparent AS ancestor FROM pg_inherits i
   WHERE i.inhrelid IN (SELECT oid FROM asked UNION ALL
                        SELECT x.indexrelid FROM pg_index x JOIN asked a ON a.oid = x.indrelid)
   UNION
  SELECT above.oid, i.inhparent FROM above JOIN pg_inherits i ON i.inhrelid = above.ancestor
)
SELECT a.nspname AS schema, a.relname AS relation, NULL AS index,
       rn.nspname AS root_schema, r.relname AS root_relation, NULL AS root_index,
       pg_stat_get_xact_tuples_returned(a.oid) AS returned, pg_stat_get_xact_tuples_fetched(a.oid) AS fetched,
       current_setting('track_counts')::boolean AS counted,
       ARRAY(SELECT ARRAY[pn.nspname, p.relname]::text[] FROM above v JOIN pg_class p ON p.oid = v.ancestor
               JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE v.oid = a.oid ORDER BY 1) AS ancestors
  FROM asked a
  LEFT JOIN pg_class r ON r.oid = a.root
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
 UNION ALL
SELECT a.nspname, a.relname, x.relname,
       rn.nspname, r.relname, xr.relname,
       pg_stat_get_xact_tuples_returned(x.oid), pg_stat_get_xact_tuples_fetched(x.oid),
       current_setting('track_counts')::boolean,
       ARRAY(SELECT ARRAY[pn.nspname, p.relname]::text[] FROM above v JOIN pg_class p ON p.oid = v.ancestor
               JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE v.oid = x.oid ORDER BY 1)
  FROM asked a
  JOIN pg_index i ON i.indrelid = a.oid
  JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_class r ON r.oid = a.root
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
  LEFT JOIN pg_class xr ON x.relispartition AND xr.oid = pg_partition_root(x.oid)
