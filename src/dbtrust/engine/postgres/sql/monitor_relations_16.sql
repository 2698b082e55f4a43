-- What 16 and later also count of a table or an index.
SELECT c.oid, pg_stat_get_lastscan(c.oid) AS last_scan,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_stat_get_tuples_newpage_updated(c.oid) END AS newpage_updates
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
