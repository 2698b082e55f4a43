-- The user's tables and their counters. `rows` is the planner's estimate (null: never counted); sizes are
-- relpages, which cost nothing: asking the file system for the size of each table takes 25 times as long.
WITH keyed AS MATERIALIZED (
  SELECT indrelid FROM pg_index WHERE indisprimary
), ruled AS MATERIALIZED (
  SELECT polrelid, count(*) AS policies FROM pg_policy GROUP BY polrelid
), unlisted AS MATERIALIZED (
  SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e'
)
SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       c.relpersistence::text AS persistence, c.relispartition AS partition,
       (SELECT p.inhparent FROM pg_inherits p WHERE p.inhrelid = c.oid LIMIT 1) AS parent,
       nullif(c.reltuples, -1)::float8 AS rows,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
       coalesce(t.relpages, 0)::bigint * current_setting('block_size')::bigint AS toast_bytes,
       c.relreplident::text AS replica_identity,
       k.indrelid IS NOT NULL AS has_primary_key,
       c.relrowsecurity AS row_security, coalesce(r.policies, 0) AS policies,
       coalesce(c.reloptions, '{}')::text[] AS options,
       CASE WHEN c.relkind IN ('r', 'm') THEN age(c.relfrozenxid) END AS xid_age,
       CASE WHEN c.relkind IN ('r', 'm') THEN mxid_age(c.relminmxid) END AS mxid_age,
       pg_stat_get_numscans(c.oid) AS seq_scan,
       pg_stat_get_tuples_returned(c.oid) AS seq_tup_read,
       (SELECT coalesce(sum(pg_stat_get_numscans(i.indexrelid)), 0)::bigint
          FROM pg_index i WHERE i.indrelid = c.oid) AS idx_scan,
       pg_stat_get_tuples_inserted(c.oid) AS inserts,
       pg_stat_get_tuples_updated(c.oid) AS updates,
       pg_stat_get_tuples_deleted(c.oid) AS deletes,
       pg_stat_get_tuples_hot_updated(c.oid) AS hot_updates,
       pg_stat_get_live_tuples(c.oid) AS live,
       pg_stat_get_dead_tuples(c.oid) AS dead,
       pg_stat_get_mod_since_analyze(c.oid) AS modified_since_analyze,
       pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum,
       pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum,
       pg_stat_get_last_analyze_time(c.oid) AS last_analyze,
       pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze,
       pg_stat_get_blocks_fetched(c.oid) - pg_stat_get_blocks_hit(c.oid) AS blocks_read,
       pg_stat_get_blocks_hit(c.oid) AS blocks_hit
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN keyed k ON k.indrelid = c.oid
  LEFT JOIN ruled r ON r.polrelid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.relname <> 'dbtrust_migration'
   AND c.oid NOT IN (SELECT objid FROM unlisted)
 ORDER BY n.nspname, c.relname
