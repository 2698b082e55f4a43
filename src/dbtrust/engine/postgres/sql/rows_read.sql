-- Rows read in this transaction from each of the relations given, by the counters of pgstat_relation.c.
-- Sequential scans count in the table's tuples_returned, bitmap heap scans in its tuples_fetched, index scans in
-- the index's tuples_fetched; an index-only scan counts in the index's tuples_returned (a bitmap index scan does
-- too, so the indexes that were scanned index-only are named by the caller).
SELECT w.nspname, w.relname,
       pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) + pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid)
       + COALESCE((SELECT sum(CASE WHEN ic.relname = ANY (%s::text[])
                                   THEN pg_catalog.pg_stat_get_xact_tuples_returned(i.indexrelid)
                                   ELSE pg_catalog.pg_stat_get_xact_tuples_fetched(i.indexrelid) END)
                   FROM pg_catalog.pg_index AS i
                   JOIN pg_catalog.pg_class AS ic ON ic.oid = i.indexrelid
                   WHERE i.indrelid = c.oid), 0) AS rows_read
FROM pg_catalog.unnest(%s::text[], %s::text[]) AS w (nspname, relname)
JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.nspname
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.relname
