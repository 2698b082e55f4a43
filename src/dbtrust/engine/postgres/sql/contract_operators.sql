-- Operators by OID, with the btree families in which each means "equal" (strategy 3).
SELECT o.oid::int8 AS oid, o.oprname AS name, o.oid < 16384 AS builtin,
       ARRAY(SELECT m.amopfamily::int8 FROM pg_amop m JOIN pg_am a ON a.oid = m.amopmethod
             WHERE m.amopopr = o.oid AND m.amopstrategy = 3 AND a.amname = 'btree') AS equality,
       coalesce(l.typcategory::text, '') || coalesce(r.typcategory::text, '') AS categories
FROM pg_operator o
LEFT JOIN pg_type l ON l.oid = o.oprleft
LEFT JOIN pg_type r ON r.oid = o.oprright
WHERE o.oid = ANY (%(oids)s::oid[]);
