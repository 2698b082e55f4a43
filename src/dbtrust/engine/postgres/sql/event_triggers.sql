SELECT 'event trigger' AS kind,
       ARRAY[e.evtname]::text[] AS path,
       e.evtevent AS event,
       ARRAY(SELECT t FROM unnest(e.evttags) t ORDER BY 1) AS tags,
       e.evtfoid::regprocedure::text AS function,
       CASE e.evtenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' ELSE 'always' END AS state,
       pg_catalog.obj_description(e.oid, 'pg_event_trigger') AS comment
  FROM pg_event_trigger e
 WHERE NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
