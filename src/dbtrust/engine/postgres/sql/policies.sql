SELECT 'policy' AS kind,
       p.polrelid AS relation,
       ARRAY[n.nspname, r.relname, p.polname]::text[] AS path,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command,
       p.polpermissive AS permissive,
       ARRAY(SELECT CASE WHEN o = 0 THEN 'public'
                         WHEN o IN (r.relowner, (SELECT datdba FROM pg_database WHERE datname = current_database())) THEN 'owner'
                         ELSE pg_catalog.pg_get_userbyid(o)::text END
               FROM unnest(p.polroles) o ORDER BY 1) AS roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS "using",
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check,
       pg_catalog.obj_description(p.oid, 'pg_policy') AS comment
  FROM pg_policy p
  JOIN pg_class r ON r.oid = p.polrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
 WHERE p.polrelid = ANY(%(relations)s)
