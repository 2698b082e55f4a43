-- That a mapping is there; never its options, which hold passwords.
SELECT 'user mapping' AS kind,
       ARRAY[m.srvname, CASE WHEN m.umuser = 0 THEN 'public' WHEN m.umuser = b.datdba THEN 'owner' ELSE m.usename END]::text[] AS path
  FROM pg_user_mappings m
  JOIN pg_database b ON b.datname = current_database()
