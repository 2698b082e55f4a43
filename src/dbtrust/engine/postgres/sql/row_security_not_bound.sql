-- The relations with row level security whose policies do not bind the role that asks.
SELECT n.nspname, c.relname
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relrowsecurity AND NOT row_security_active(c.oid)
 ORDER BY 1, 2
