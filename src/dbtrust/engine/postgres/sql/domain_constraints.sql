SELECT c.contypid AS type,
       c.conname AS name,
       pg_catalog.pg_get_constraintdef(c.oid, false) AS definition,
       c.convalidated AS validated,
       pg_catalog.obj_description(c.oid, 'pg_constraint') AS comment
  FROM pg_constraint c
 WHERE c.contypid <> 0 AND c.contype = 'c'
   AND (%(only)s::oid[] IS NULL OR c.contypid = ANY(%(only)s::oid[]))
 ORDER BY c.contypid, c.conname
