-- The tables whose indexes and foreign keys are compared in full, which is costly: those with two indexes of one
-- kind that begin alike, or with a foreign key that no whole, valid btree leads with, in the columns' collations.
WITH own AS MATERIALIZED (
  SELECT c.oid
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND c.relname <> 'dbtrust_migration'
     AND c.oid NOT IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')
), indexes AS MATERIALIZED (
  SELECT i.indrelid, i.indkey, i.indnkeyatts, i.indcollation, c.relam,
         i.indisvalid AND i.indpred IS NULL AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree') AS whole
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
   WHERE i.indrelid IN (SELECT oid FROM own)
), foreign_keys AS MATERIALIZED (
  SELECT oid, conrelid, conkey FROM pg_constraint WHERE contype = 'f'
), served AS MATERIALIZED (
  SELECT k.oid
    FROM foreign_keys k
    JOIN indexes i ON i.indrelid = k.conrelid AND i.whole AND i.indnkeyatts >= cardinality(k.conkey)
   WHERE (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey
     -- Columns of types without collations have none in the index either.
     AND (0 = ALL (i.indcollation::oid[]) OR NOT EXISTS (
       SELECT FROM generate_series(0, cardinality(k.conkey) - 1) AS p(place)
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = i.indkey[p.place]
        WHERE a.attcollation <> i.indcollation[p.place]))
)
SELECT oid FROM own
 WHERE oid IN (SELECT indrelid FROM indexes GROUP BY indrelid, relam, indkey[0] HAVING count(*) > 1)
    OR oid IN (SELECT conrelid FROM foreign_keys WHERE oid NOT IN (SELECT oid FROM served))
