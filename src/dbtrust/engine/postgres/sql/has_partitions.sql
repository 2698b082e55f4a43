-- Does any table of this database have partitions? Then a plan's relations have to be looked up.
SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relispartition)
