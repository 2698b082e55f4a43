-- Triggers of the user's; a partition's copy is its parent's.
SELECT t.tgrelid::int8 AS relation, n.nspname AS schema, r.relname AS "table", t.tgname AS name,
       pg_get_triggerdef(t.oid) AS definition,
       array_remove(ARRAY[CASE WHEN t.tgtype & 4 <> 0 THEN 'INSERT' END, CASE WHEN t.tgtype & 16 <> 0 THEN 'UPDATE' END,
                          CASE WHEN t.tgtype & 8 <> 0 THEN 'DELETE' END, CASE WHEN t.tgtype & 32 <> 0 THEN 'TRUNCATE' END], NULL) AS events,
       t.tgenabled AS state, t.tgtype & 1 <> 0 AS "row", t.tgfoid::regprocedure::text AS function, p.prosrc AS source,
       ARRAY(SELECT a.attname::text FROM unnest(t.tgattr::int2[]) k (number)
               JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = k.number) AS columns,
       CASE WHEN t.tginitdeferred THEN 'initially deferred' WHEN t.tgdeferrable THEN 'deferrable' ELSE '' END AS deferrable
  FROM pg_trigger t
  JOIN pg_class r ON r.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND t.tgparentid = 0
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'e')
 ORDER BY n.nspname, r.relname, t.tgname
