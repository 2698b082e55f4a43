-- Their unique indexes that the server keeps whole (an invalid one does not bind the rows that were there before).
SELECT i.indrelid::int8 AS relation, c.relname AS name,
       (i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns,
       i.indexprs::text AS expressions, i.indpred::text AS predicate, i.indimmediate AS immediate,
       (i.indcollation::oid[]::int8[])[0:i.indnkeyatts - 1] AS collations,
       ARRAY(SELECT o.opcfamily::int8
             FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS k (class, place)
             JOIN pg_opclass o ON o.oid = k.class
             WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS families
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY (%(oids)s::oid[]) AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive
ORDER BY i.indrelid, c.relname;
