-- Checks and NOT NULL of domains, with the base type at the end of the chain.
WITH RECURSIVE chain AS (
  SELECT t.oid AS start, t.typbasetype, t.typtypmod FROM pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT c.start, t.typbasetype, t.typtypmod FROM chain c JOIN pg_type t ON t.oid = c.typbasetype AND t.typtype = 'd'
), domains AS (
  SELECT t.oid, n.nspname AS schema, t.typname AS domain, t.typnotnull, format_type(c.typbasetype, c.typtypmod) AS base,
         format_type(c.typbasetype, NULL) AS base_name, b.typcategory AS category,
         ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder) AS labels,
         CASE WHEN b.oid IN (1042, 1043) THEN nullif(c.typtypmod, -1) - 4 END AS length
    FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    JOIN chain c ON c.start = t.oid
    JOIN pg_type b ON b.oid = c.typbasetype AND b.typtype <> 'd'
   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_type'::regclass AND x.objid = t.oid AND x.deptype = 'e')
)
SELECT d.schema, d.domain, d.base, d.base_name, d.category, d.labels, d.length, format_type(d.oid, NULL) AS type,
       'domain check' AS kind, o.conname AS name, pg_get_constraintdef(o.oid) AS definition,
       pg_get_expr(o.conbin, 0) AS text,
       ARRAY(SELECT p.prosrc FROM pg_depend x JOIN pg_proc p ON p.oid = x.refobjid AND p.oid >= 16384
              WHERE x.classid = 'pg_constraint'::regclass AND x.objid = o.oid AND x.refclassid = 'pg_proc'::regclass) AS sources,
       CASE WHEN o.convalidated THEN '' ELSE 'it is NOT VALID: values that were there before were never checked' END AS broken
  FROM domains d JOIN pg_constraint o ON o.contypid = d.oid AND o.contype = 'c'
UNION ALL
SELECT d.schema, d.domain, d.base, d.base_name, d.category, d.labels, d.length, format_type(d.oid, NULL), 'domain not null',
       coalesce((SELECT o.conname::text FROM pg_constraint o WHERE o.contypid = d.oid AND o.contype = 'n'), d.domain || '_not_null'),
       'NOT NULL', '', '{}', ''
  FROM domains d WHERE d.typnotnull
 ORDER BY schema, domain, name
