-- Sessions that wait for a lock, who holds it, and on what. Asked of waiting sessions alone: pg_blocking_pids
-- stops the lock manager for a moment each time. Of a prepared transaction it tells 0; `prepared` are the names of
-- those that hold a lock on the same thing.
SELECT l.pid, pg_blocking_pids(l.pid) AS blocked_by, l.locktype AS kind, l.mode,
       (extract(epoch FROM clock_timestamp() - l.waitstart) * 1000)::float8 AS waited_ms,
       n.nspname AS schema, c.relname AS relation,
       ARRAY(SELECT DISTINCT p.gid
               FROM pg_locks h
               JOIN pg_locks x ON x.virtualtransaction = h.virtualtransaction AND x.locktype = 'transactionid'
                AND x.granted AND x.pid IS NULL
               JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
              WHERE h.granted AND h.pid IS NULL
                AND (h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid, h.classid,
                     h.objid, h.objsubid)
                    IS NOT DISTINCT FROM
                    (l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid,
                     l.objid, l.objsubid)) AS prepared
  FROM pg_locks l
  LEFT JOIN pg_class c ON c.oid = l.relation
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT l.granted AND l.pid IS NOT NULL
 ORDER BY l.pid
