-- Extended statistics. Columns are sorted: the server keeps them in table order, which is told by the table.
SELECT 'statistics' AS kind,
       s.stxrelid AS relation,
       ARRAY[n.nspname, s.stxname]::text[] AS path,
       s.stxrelid::regclass::text AS "table",
       ARRAY(SELECT a.attname::text FROM unnest(s.stxkeys) k
               JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k ORDER BY 1) AS column_names,
       pg_catalog.pg_get_statisticsobjdef_expressions(s.oid) AS expressions,
       ARRAY(SELECT CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' WHEN 'm' THEN 'mcv' ELSE 'expressions' END
               FROM unnest(s.stxkind) k ORDER BY 1) AS kinds,
       nullif((to_jsonb(s) ->> 'stxstattarget')::int, -1) AS statistics_target,
       pg_catalog.obj_description(s.oid, 'pg_statistic_ext') AS comment
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE s.stxrelid = ANY(%(relations)s)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid AND d.deptype = 'e')
