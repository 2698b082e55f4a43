-- Relations of a query: what they are, a view's tree, and which row triggers (also of a partition or child, which
-- may have its own) or rules may change a written row.
WITH RECURSIVE family AS (
  SELECT o.oid AS root, o.oid FROM unnest(%(oids)s::oid[]) AS o (oid)
  UNION
  SELECT f.root, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid
)
SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
       c.relkind = 'r' AND c.relhassubclass AS inherited,
       (SELECT r.ev_action::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '1' LIMIT 1) AS query,
       ARRAY(
         SELECT e.event
         FROM pg_trigger t
         CROSS JOIN LATERAL (VALUES ('insert', 4), ('delete', 8), ('update', 16)) AS e (event, bit)
         WHERE t.tgrelid IN (SELECT f.oid FROM family f WHERE f.root = c.oid) AND t.tgenabled <> 'D' AND NOT t.tgisinternal
           AND (t.tgtype & e.bit) <> 0 AND (t.tgtype & 1) <> 0 AND (t.tgtype & 66) <> 0
       ) AS before,
       ARRAY(
         SELECT CASE r.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' WHEN '4' THEN 'delete' END
         FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type <> '1' AND r.ev_enabled <> 'D'
       ) AS rules
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
ORDER BY c.oid;
