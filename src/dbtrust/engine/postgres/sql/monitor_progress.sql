-- Vacuums and index builds that run right now, in this database.
SELECT pid, 'vacuum' AS kind, relid, 0 AS index_oid, phase, heap_blks_total AS total, heap_blks_scanned AS done
  FROM pg_stat_progress_vacuum WHERE datname = current_database()
UNION ALL
SELECT pid, 'create index', relid, index_relid, phase, blocks_total, blocks_done
  FROM pg_stat_progress_create_index WHERE datname = current_database()
