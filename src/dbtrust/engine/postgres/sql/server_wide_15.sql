-- Rights on parameters, in the columns of server_wide.sql; servers before 15 have none.
SELECT 'right', pg_catalog.concat_ws(' ', 'parameter', p.oid, a.grantor, a.grantee, a.privilege_type),
       a.privilege_type || ' on parameter ' || p.parname || ' for ' || w.name, a.is_grantable::text,
       'GRANT ' || a.privilege_type || ' ON PARAMETER ' || p.parname || ' TO ' || w.name
       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
       'REVOKE ' || a.privilege_type || ' ON PARAMETER ' || p.parname || ' FROM ' || w.name,
       ARRAY['role ' || a.grantee, 'role ' || a.grantor]
  FROM pg_catalog.pg_parameter_acl p CROSS JOIN LATERAL pg_catalog.aclexplode(p.paracl) a
 CROSS JOIN LATERAL (SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END) w (name)
