SELECT 'publication' AS kind,
       ARRAY[p.pubname]::text[] AS path,
       p.puballtables AS all_tables,
       concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                 CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS publish,
       p.pubviaroot AS via_root,
       to_jsonb(p) ->> 'pubgencols' AS generated_columns,
       ARRAY(SELECT concat_ws(' ', r.prrelid::regclass::text,
                      '(' || (SELECT string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname)
                                FROM unnest(r.prattrs) k JOIN pg_attribute a ON a.attrelid = r.prrelid AND a.attnum = k) || ')',
                      'WHERE ' || pg_catalog.pg_get_expr(r.prqual, r.prrelid))
               FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid
              WHERE r.prpubid = p.oid AND c.relname <> 'dbtrust_migration' ORDER BY 1) AS tables,
       ARRAY(SELECT s.pnnspid::regnamespace::text FROM pg_publication_namespace s WHERE s.pnpubid = p.oid ORDER BY 1) AS schemas,
       pg_catalog.obj_description(p.oid, 'pg_publication') AS comment
  FROM pg_publication p
