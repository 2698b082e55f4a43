-- Constraints of tables. 18 also stores NOT NULL here: told as the column's nullability unless it is special.
-- Rows that a foreign key to a partitioned table adds for each referenced partition are the server's own.
SELECT c.oid,
       c.conrelid AS relation,
       n.nspname AS schema,
       r.relname AS "table",
       c.conname AS name,
       CASE c.contype WHEN 'c' THEN 'check' WHEN 'f' THEN 'foreign key' WHEN 'p' THEN 'primary key'
                      WHEN 'u' THEN 'unique' WHEN 'x' THEN 'exclude' ELSE 'not null' END AS type,
       pg_catalog.pg_get_constraintdef(c.oid, false) AS definition,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns,
       CASE WHEN c.contype = 'f' THEN c.confrelid::regclass::text END AS "references",
       c.convalidated AS validated,
       coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true) AS enforced,
       CASE WHEN c.condeferred THEN 'initially deferred' WHEN c.condeferrable THEN 'deferrable' END AS deferrable,
       c.connoinherit AND c.contype IN ('c', 'n') AS no_inherit,
       CASE WHEN c.coninhcount > 0 THEN CASE WHEN c.conislocal THEN 'also local' ELSE 'inherited' END END AS inherited,
       (SELECT bool_or(t.tgenabled = 'D') FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgisinternal) AS triggers_disabled,
       pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
  FROM pg_constraint c
  JOIN pg_class r ON r.oid = c.conrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  LEFT JOIN pg_constraint parent ON parent.oid = c.conparentid
 WHERE c.conrelid = ANY(%(relations)s)
   AND c.contype <> 't'
   AND (c.contype <> 'n' OR NOT c.convalidated OR c.connoinherit)
   AND parent.conrelid IS DISTINCT FROM c.conrelid
