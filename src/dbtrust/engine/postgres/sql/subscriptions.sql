-- Never the connection string: it may hold a password, and only a superuser may read it.
SELECT 'subscription' AS kind,
       ARRAY[s.subname]::text[] AS path,
       s.subenabled AS enabled,
       ARRAY(SELECT p FROM unnest(s.subpublications) p ORDER BY 1) AS publications,
       s.subslotname::text AS slot,
       pg_catalog.obj_description(s.oid, 'pg_subscription') AS comment
  FROM pg_subscription s
 WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
