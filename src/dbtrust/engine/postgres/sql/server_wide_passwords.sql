-- A fingerprint of each password, in the columns of server_wide.sql; nothing puts one back. Needs the right to read pg_authid.
SELECT 'password', oid::text, 'of role ' || rolname,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(rolpassword, ''), 'UTF8')), 'hex'), NULL, NULL,
       ARRAY['role ' || oid]
  FROM pg_catalog.pg_authid WHERE rolname !~ '^pg_'
