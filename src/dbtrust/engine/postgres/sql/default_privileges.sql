SELECT 'default privileges' AS kind,
       'pg_default_acl' AS class,
       d.oid,
       ARRAY[CASE WHEN d.defaclrole = b.datdba THEN 'owner' ELSE pg_catalog.pg_get_userbyid(d.defaclrole)::text END,
             coalesce(n.nspname::text, '*'),
             CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                  WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END] AS path
  FROM pg_default_acl d
  JOIN pg_database b ON b.datname = current_database()
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
