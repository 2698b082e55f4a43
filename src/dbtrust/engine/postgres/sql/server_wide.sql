-- What belongs to no database: (kind, key, name, detail, make, unmake, parties), dbtrust's own databases left out.
-- An object (role, database, tablespace) has its OID as key; a relation between objects has statements that make it and
-- take it back, and as parties the objects that it hangs on, each as "kind OID".
WITH own AS (SELECT oid FROM pg_catalog.pg_database WHERE datname ~ '^dbtrust_[0-9a-f]{8}_'),
granted (kind, word, oid, name, acl) AS (
  SELECT 'database', 'DATABASE', d.oid, d.datname, coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))
    FROM pg_catalog.pg_database d WHERE d.oid NOT IN (SELECT oid FROM own)
  UNION ALL
  SELECT 'tablespace', 'TABLESPACE', t.oid, t.spcname, coalesce(t.spcacl, pg_catalog.acldefault('t', t.spcowner))
    FROM pg_catalog.pg_tablespace t
),
named (kind, word, classoid, oid, name) AS (
  SELECT kind, word, CASE kind WHEN 'database' THEN 'pg_catalog.pg_database'::regclass ELSE 'pg_catalog.pg_tablespace'::regclass END, oid, name
    FROM granted
  UNION ALL
  SELECT 'role', 'ROLE', 'pg_catalog.pg_authid'::regclass, oid, rolname FROM pg_catalog.pg_roles
),
settings AS (
  SELECT s.setdatabase, s.setrole, pg_catalog.split_part(c.text, '=', 1) AS name,
         pg_catalog.substr(c.text, pg_catalog.strpos(c.text, '=') + 1) AS value,
         'ALTER ' || CASE WHEN s.setrole = 0 AND s.setdatabase <> 0 THEN 'DATABASE ' || pg_catalog.quote_ident(d.datname)
                          ELSE 'ROLE ' || coalesce(pg_catalog.quote_ident(r.rolname), 'ALL')
                               || coalesce(' IN DATABASE ' || pg_catalog.quote_ident(d.datname), '') END AS alter
    FROM pg_catalog.pg_db_role_setting s
   CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c (text)
    LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
   WHERE s.setdatabase NOT IN (SELECT oid FROM own)
)
SELECT 'role' AS kind, oid::text AS key, rolname::text AS name,
       (pg_catalog.to_jsonb(r) - 'rolpassword' - 'rolconfig')::text AS detail,
       NULL AS make, NULL AS unmake, '{}'::text[] AS parties
  FROM pg_catalog.pg_roles r WHERE rolname !~ '^pg_'
UNION ALL
SELECT 'database', oid::text, datname, pg_catalog.jsonb_build_object('name', datname, 'owner', datdba, 'is_template', datistemplate, 'allow_connections', datallowconn,
                                      'connection_limit', datconnlimit, 'tablespace', dattablespace)::text,
       NULL, NULL, '{}'
  FROM pg_catalog.pg_database WHERE oid NOT IN (SELECT oid FROM own)
UNION ALL
SELECT 'tablespace', oid::text, spcname, pg_catalog.jsonb_build_object('name', spcname, 'owner', spcowner, 'options', spcoptions)::text, NULL, NULL, '{}'
  FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_'
UNION ALL
SELECT 'membership', pg_catalog.concat_ws(' ', m.roleid, m.member, m.grantor), m.roleid::regrole || ' of ' || m.member::regrole,
       (j.text - 'oid')::text,
       'GRANT ' || m.roleid::regrole || ' TO ' || m.member::regrole
       || CASE WHEN j.text ? 'set_option' THEN pg_catalog.format(' WITH ADMIN %s, INHERIT %s, SET %s GRANTED BY %s', m.admin_option, j.text ->> 'inherit_option', j.text ->> 'set_option', m.grantor::regrole)
               WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END,
       'REVOKE ' || m.roleid::regrole || ' FROM ' || m.member::regrole
       || CASE WHEN j.text ? 'set_option' THEN ' GRANTED BY ' || m.grantor::regrole ELSE '' END,
       ARRAY['role ' || m.roleid, 'role ' || m.member, 'role ' || m.grantor]
  FROM pg_catalog.pg_auth_members m CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(m)) j (text)
UNION ALL
SELECT 'setting', pg_catalog.concat_ws(' ', setdatabase, setrole, name), pg_catalog.substr(alter, 7) || ' SET ' || name, value,
       -- A list is kept as SQL that can be read again; any other value is one literal.
       alter || ' SET ' || pg_catalog.quote_ident(name) || ' TO '
       || CASE WHEN name IN ('local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces') AND value <> ''
               THEN value ELSE pg_catalog.quote_literal(value) END,
       alter || ' RESET ' || pg_catalog.quote_ident(name),
       ARRAY['database ' || setdatabase, 'role ' || setrole]
  FROM settings
UNION ALL
SELECT 'right', pg_catalog.concat_ws(' ', g.kind, g.oid, a.grantor, a.grantee, a.privilege_type),
       a.privilege_type || ' on ' || g.kind || ' ' || g.name || ' for ' || w.name, a.is_grantable::text,
       'GRANT ' || a.privilege_type || ' ON ' || g.word || ' ' || pg_catalog.quote_ident(g.name) || ' TO ' || w.name
       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
       'REVOKE ' || a.privilege_type || ' ON ' || g.word || ' ' || pg_catalog.quote_ident(g.name) || ' FROM ' || w.name,
       ARRAY[g.kind || ' ' || g.oid, 'role ' || a.grantee, 'role ' || a.grantor]
  FROM granted g CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) a
 CROSS JOIN LATERAL (SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END) w (name)
UNION ALL
SELECT 'comment', n.kind || ' ' || n.oid, 'on ' || n.kind || ' ' || n.name, c.description,
       pg_catalog.format('COMMENT ON %s %I IS %L', n.word, n.name, c.description),
       pg_catalog.format('COMMENT ON %s %I IS NULL', n.word, n.name), ARRAY[n.kind || ' ' || n.oid]
  FROM pg_catalog.pg_shdescription c JOIN named n ON n.classoid = c.classoid AND n.oid = c.objoid
UNION ALL
SELECT 'label', pg_catalog.concat_ws(' ', n.kind, n.oid, l.provider), 'on ' || n.kind || ' ' || n.name, l.label,
       pg_catalog.format('SECURITY LABEL FOR %I ON %s %I IS %L', l.provider, n.word, n.name, l.label),
       pg_catalog.format('SECURITY LABEL FOR %I ON %s %I IS NULL', l.provider, n.word, n.name), ARRAY[n.kind || ' ' || n.oid]
  FROM pg_catalog.pg_shseclabel l JOIN named n ON n.classoid = l.classoid AND n.oid = l.objoid
