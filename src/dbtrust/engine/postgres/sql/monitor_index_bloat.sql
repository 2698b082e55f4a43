-- Free space of the given btree indexes, measured by pgstatindex, which reads the whole index.
SELECT c.oid, b.index_size AS bytes, b.avg_leaf_density AS leaf_density, b.deleted_pages, b.leaf_pages
  FROM unnest(%(oids)s::oid[]) AS c(oid), LATERAL pgstatindex(c.oid::regclass) AS b
