-- Free and dead space of the given tables, measured by pgstattuple_approx, which skips all-visible pages.
SELECT c.oid, b.table_len AS bytes, b.approx_free_space AS free_bytes, b.dead_tuple_len AS dead_bytes,
       b.scanned_percent
  FROM unnest(%(oids)s::oid[]) AS c(oid), LATERAL pgstattuple_approx(c.oid::regclass) AS b
