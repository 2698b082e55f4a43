-- The indexes of the user's tables and their counters; `supports` is what stands on the index.
WITH standing AS MATERIALIZED (
  SELECT conindid,
         array_remove(ARRAY[CASE WHEN bool_or(contype = 'f') THEN 'f' END, CASE WHEN bool_or(contype = 'p') THEN 'p' END,
                            CASE WHEN bool_or(contype = 'u') THEN 'u' END, CASE WHEN bool_or(contype = 'x') THEN 'x' END],
                      NULL) AS kinds
    FROM pg_constraint WHERE conindid <> 0 GROUP BY conindid
), foreign_keys AS MATERIALIZED (
  SELECT conrelid, array_agg(conkey[1]) AS leading
    FROM pg_constraint WHERE contype = 'f' GROUP BY conrelid
)
SELECT i.indexrelid AS oid, n.nspname AS schema, c.relname AS name, r.relname AS "table", i.indrelid AS table_oid,
       tn.nspname AS table_schema, am.amname AS method,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
       pg_stat_get_numscans(c.oid) AS idx_scan,
       pg_stat_get_tuples_returned(c.oid) AS idx_tup_read,
       pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch,
       pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blocks_read,
       pg_stat_get_blocks_hit(c.oid) AS blocks_hit,
       i.indisunique AS "unique", i.indisprimary AS "primary", i.indisexclusion AS exclusion,
       i.indisvalid AND i.indisready AND i.indislive AS valid,
       i.indisclustered AS clustered, i.indisreplident AS replica_identity,
       i.indpred IS NOT NULL AS partial, c.relkind = 'I' AS partitioned,
       coalesce(s.kinds, '{}') AS constraints,
       -- Its leading column is one of a foreign key's: deletes of the referenced rows use it.
       i.indkey[0] = ANY(coalesce(f.leading, '{}')) AS foreign_key,
       p.inhparent AS parent,
       i.indnkeyatts AS keys,
       a.attname AS "column", a.atttypid = 'bool'::regtype AS "boolean"
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_class r ON r.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_namespace tn ON tn.oid = r.relnamespace
  JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN standing s ON s.conindid = i.indexrelid
  LEFT JOIN foreign_keys f ON f.conrelid = i.indrelid
  LEFT JOIN pg_inherits p ON p.inhrelid = c.oid  -- an index has one parent
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND i.indkey[0] <> 0
 WHERE c.relkind IN ('i', 'I') AND r.relkind IN ('r', 'p', 'm')
   AND tn.nspname !~ '^pg_' AND tn.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname
