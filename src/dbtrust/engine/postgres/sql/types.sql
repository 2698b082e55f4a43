-- Enums with their labels in order, domains, composite, range and base types; array types follow their element.
SELECT 'type' AS kind,
       'pg_type' AS class,
       t.oid,
       nullif(t.typrelid, 0) AS relation,
       ARRAY[n.nspname, t.typname]::text[] AS path,
       n.nspname AS schema,
       t.typname AS name,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range'
                      WHEN 'b' THEN 'base' ELSE 'shell' END AS type_kind,
       CASE WHEN t.typtype = 'e' THEN
         ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
       END AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS base_type,
       CASE WHEN t.typtype = 'd' AND t.typcollation <> base.typcollation THEN pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END AS collation,
       CASE WHEN t.typtype = 'd' THEN NOT t.typnotnull END AS nullable,
       coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault) AS "default",
       CASE WHEN r.rngtypid IS NOT NULL THEN ARRAY[
         'subtype=' || pg_catalog.format_type(r.rngsubtype, NULL), 'opclass=' || ron.nspname || '.' || ro.opcname,
         'collation=' || r.rngcollation::regcollation::text, 'canonical=' || r.rngcanonical, 'subtype_diff=' || r.rngsubdiff,
         'multirange=' || r.rngmultitypid::regtype::text
       ] END AS "range",
       CASE WHEN t.typtype = 'b' THEN ARRAY[
         'input=' || t.typinput, 'output=' || t.typoutput, 'receive=' || t.typreceive, 'send=' || t.typsend,
         'length=' || t.typlen, 'by_value=' || t.typbyval, 'align=' || t.typalign::text, 'storage=' || t.typstorage::text,
         'category=' || t.typcategory::text, 'delimiter=' || t.typdelim::text
       ] END AS base,
       pg_catalog.obj_description(t.oid, 'pg_type') AS comment
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_range r ON r.rngtypid = t.oid
  LEFT JOIN pg_opclass ro ON ro.oid = r.rngsubopc
  LEFT JOIN pg_namespace ron ON ron.oid = ro.opcnamespace
  LEFT JOIN pg_type base ON base.oid = t.typbasetype
  LEFT JOIN pg_collation co ON co.oid = t.typcollation
  LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND t.typtype IN ('e', 'd', 'c', 'r', 'b', 'p')
   AND (t.typrelid = 0 OR c.relkind = 'c')
   AND NOT EXISTS (SELECT FROM pg_type el WHERE el.typarray = t.oid)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
   AND (%(only)s::oid[] IS NULL OR t.oid = ANY(%(only)s::oid[]))
