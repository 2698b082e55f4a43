-- Replication slots and the WAL that they keep.
SELECT slot_name AS name, slot_type AS type, plugin, database, active, temporary, wal_status, safe_wal_size,
       age(xmin) AS xmin_age, age(catalog_xmin) AS catalog_xmin_age, NULL AS inactive_since,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       restart_lsn)::float8 AS retained_bytes
  FROM pg_replication_slots
 ORDER BY slot_name
