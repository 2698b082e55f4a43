-- The labels of an enum.
SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = %(oid)s ORDER BY e.enumsortorder;
