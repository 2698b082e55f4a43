-- Procedural languages that no extension brought.
SELECT 'language' AS kind,
       ARRAY[l.lanname]::text[] AS path,
       l.lanpltrusted AS trusted,
       nullif(l.lanplcallfoid, 0)::regprocedure::text AS handler,
       pg_catalog.obj_description(l.oid, 'pg_language') AS comment
  FROM pg_language l
 WHERE l.lanispl
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_language'::regclass AND d.objid = l.oid AND d.deptype = 'e')
