-- What ANALYZE knows of a column: its frequent values, and values at equal distances of the others, as texts.
-- The statistics of a table with children are those of the whole tree.
SELECT s.most_common_vals::text::text[] AS common, s.histogram_bounds::text::text[] AS bounds
FROM pg_catalog.pg_stats s
WHERE s.schemaname = %(schema)s AND s.tablename = %(table)s AND s.attname = %(column)s
ORDER BY s.inherited DESC
LIMIT 1
