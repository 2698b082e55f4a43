-- Which of these relations (OIDs) are still there, under whatever name.
SELECT oid::int8 FROM pg_class WHERE oid = ANY(%(oids)s::oid[])
