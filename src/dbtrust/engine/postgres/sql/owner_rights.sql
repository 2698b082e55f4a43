-- What the current role lacks to give an object to another role (%(role)s), and may itself grant:
-- (is it no member, the schemas in which that role may create nothing, may it create no schema in the database).
SELECT NOT pg_catalog.pg_has_role(me.oid, r.oid, 'USAGE')
       AND (pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')
            OR (me.rolcreaterole AND NOT r.rolsuper AND pg_catalog.current_setting('server_version_num')::int < 160000)),
       ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n
              WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                AND NOT pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')
                AND pg_catalog.pg_has_role(me.oid, n.nspowner, 'USAGE')),
       NOT pg_catalog.has_database_privilege(r.oid, d.oid, 'CREATE') AND pg_catalog.pg_has_role(me.oid, d.datdba, 'USAGE'),
       d.datname
  FROM pg_catalog.pg_roles r, pg_catalog.pg_roles me, pg_catalog.pg_database d
 WHERE r.rolname = %(role)s AND me.rolname = current_user AND NOT me.rolsuper
   AND d.datname = pg_catalog.current_database()
