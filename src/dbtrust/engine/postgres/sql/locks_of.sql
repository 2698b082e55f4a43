-- The locks of one session in this database, with what each is on. Our own reading of catalogs is left out: weak
-- locks on system tables, which every statement takes.
SELECT l.locktype AS kind, l.mode,
       coalesce(l.relation, 0)::bigint AS relation,
       CASE
         WHEN c.relname IS NOT NULL THEN format('%%I.%%I', n.nspname, c.relname)
         WHEN l.relation IS NOT NULL THEN 'relation ' || l.relation
         WHEN l.locktype = 'object' THEN
           coalesce(pg_describe_object(l.classid, l.objid, l.objsubid::int), l.classid::regclass || ' ' || l.objid)
         ELSE format('%%s %%s %%s', l.locktype, l.classid, l.objid)
       END AS object,
       coalesce(l.classid, 0)::bigint AS class, coalesce(l.objid, 0)::bigint AS id
FROM pg_locks l
LEFT JOIN pg_class c ON c.oid = l.relation
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = %s
  AND l.locktype NOT IN ('virtualxid', 'transactionid', 'spectoken')
  AND (l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
  AND NOT (
    l.relation IS NOT NULL AND l.mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    AND coalesce(n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast'), false)
  )
ORDER BY object, l.mode
