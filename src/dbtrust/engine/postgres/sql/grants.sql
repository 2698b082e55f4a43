-- Who may do what, per object and column. A missing ACL means the default one, so both are told the same way.
-- The object's owner and the database's are "owner": a copy under another role compares equal.
WITH objects (class, oid, number, kind, owner, acl) AS (
  SELECT 'pg_class', c.oid, 0, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner, c.relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND (%(only)s::oid[] IS NULL OR c.oid = ANY(%(only)s::oid[])) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_class', a.attrelid, a.attnum, 'c'::"char", c.relowner, a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE a.attacl IS NOT NULL AND (%(only)s::oid[] IS NULL OR a.attrelid = ANY(%(only)s::oid[])) AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_proc', p.oid, 0, 'f'::"char", p.proowner, p.proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE (%(only)s::oid[] IS NULL OR p.oid = ANY(%(only)s::oid[])) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_type', t.oid, 0, 'T'::"char", t.typowner, t.typacl
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE (%(only)s::oid[] IS NULL OR t.oid = ANY(%(only)s::oid[])) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  UNION ALL
  SELECT 'pg_namespace', n.oid, 0, 'n'::"char", n.nspowner, n.nspacl FROM pg_namespace n WHERE %(only)s::oid[] IS NULL
  UNION ALL
  SELECT 'pg_foreign_data_wrapper', f.oid, 0, 'F'::"char", f.fdwowner, f.fdwacl FROM pg_foreign_data_wrapper f WHERE %(only)s::oid[] IS NULL
  UNION ALL
  SELECT 'pg_foreign_server', s.oid, 0, 'S'::"char", s.srvowner, s.srvacl FROM pg_foreign_server s WHERE %(only)s::oid[] IS NULL
  UNION ALL
  SELECT 'pg_default_acl', d.oid, 0, 'r'::"char", d.defaclrole, d.defaclacl FROM pg_default_acl d WHERE %(only)s::oid[] IS NULL
),
database AS (SELECT datdba FROM pg_database WHERE datname = current_database()),
grants AS (
  SELECT o.class, o.oid, o.number,
         CASE WHEN a.grantee = 0 THEN 'public'
              WHEN a.grantee IN (o.owner, database.datdba) THEN 'owner'
              ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee,
         a.privilege_type || CASE WHEN a.is_grantable AND a.grantee NOT IN (o.owner, database.datdba)
                                  THEN ' WITH GRANT OPTION' ELSE '' END AS privilege
    FROM database, objects o, aclexplode(coalesce(o.acl, acldefault(o.kind, o.owner))) a
)
SELECT class, oid, number, grantee, array_agg(DISTINCT privilege ORDER BY privilege) AS privileges
  FROM grants
 GROUP BY class, oid, number, grantee
 ORDER BY class, oid, number, grantee
