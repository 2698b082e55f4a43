-- Never last_value: it is data.
SELECT 'sequence' AS kind,
       'pg_class' AS class,
       c.oid,
       ARRAY[n.nspname, c.relname]::text[] AS path,
       pg_catalog.format_type(s.seqtypid, NULL) AS type,
       s.seqstart AS start,
       s.seqincrement AS increment,
       s.seqmin AS minimum,
       s.seqmax AS maximum,
       s.seqcache AS cache,
       s.seqcycle AS cycle,
       CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END AS persistence,
       CASE own.deptype WHEN 'i' THEN 'identity of ' ELSE 'owned by ' END
         || own.refobjid::regclass::text || '.' || pg_catalog.quote_ident(a.attname) AS owned_by,
       pg_catalog.obj_description(c.oid, 'pg_class') AS comment
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_depend own ON own.classid = 'pg_class'::regclass AND own.objid = c.oid
        AND own.refclassid = 'pg_class'::regclass AND own.refobjsubid > 0 AND own.deptype IN ('a', 'i')
  LEFT JOIN pg_class t ON t.oid = own.refobjid
  LEFT JOIN pg_attribute a ON a.attrelid = own.refobjid AND a.attnum = own.refobjsubid
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND t.relname IS DISTINCT FROM 'dbtrust_migration'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid IN (c.oid, t.oid) AND d.deptype = 'e')
   AND (%(only)s::oid[] IS NULL OR c.oid = ANY(%(only)s::oid[]))
