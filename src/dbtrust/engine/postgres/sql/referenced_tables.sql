-- These tables and all that their foreign keys lead to.
WITH RECURSIVE reached (oid) AS (
  SELECT unnest(%(oids)s::oid[])
  UNION
  SELECT k.confrelid FROM reached r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f'
)
SELECT oid::int8 AS oid FROM reached
