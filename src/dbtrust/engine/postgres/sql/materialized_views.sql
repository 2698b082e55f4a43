-- Every materialized view, each after those that it reads, itself or through views: whoever reads another one reads
-- all that the other reads, and so more. What only a function's body reads is in no catalog; the older one is first.
WITH RECURSIVE direct AS (
  SELECT r.ev_class AS reader, d.refobjid AS relation
    FROM pg_depend d
    JOIN pg_rewrite r ON r.oid = d.objid
   WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
), reads AS (
  SELECT reader, relation FROM direct
   UNION
  SELECT reads.reader, direct.relation FROM reads JOIN direct ON direct.reader = reads.relation
)
SELECT n.nspname, m.relname
  FROM pg_class m
  JOIN pg_namespace n ON n.oid = m.relnamespace
 WHERE m.relkind = 'm'
 ORDER BY (SELECT count(*) FROM reads JOIN pg_class o ON o.oid = reads.relation AND o.relkind = 'm' WHERE reads.reader = m.oid),
          m.oid
