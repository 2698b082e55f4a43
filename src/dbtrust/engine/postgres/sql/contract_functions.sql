-- Functions by OID. Those below 16384 belong to the server (FirstNormalObjectId, transam.h).
SELECT p.oid::int8 AS oid, p.proname AS name, p.proisstrict AS strict, p.proretset AS returns_set,
       p.oid < 16384 AS builtin, p.provolatile = 'v' AS volatile,
       coalesce((SELECT string_agg(t.typcategory::text, '' ORDER BY a.place)
                 FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, place)
                 JOIN pg_type t ON t.oid = a.type), '') AS categories
FROM pg_proc p
WHERE p.oid = ANY (%(oids)s::oid[]);
