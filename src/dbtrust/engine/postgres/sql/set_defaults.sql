-- The columns of a foreign key: their defaults, and whether ON DELETE SET DEFAULT sets them (false: they stay).
SELECT a.attname, coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(t.typdefaultbin, 0)),
       coalesce(nullif(to_jsonb(c) -> 'confdelsetcols', 'null') @> to_jsonb(a.attnum), true)
FROM pg_constraint c
CROSS JOIN unnest(c.conkey) WITH ORDINALITY k(number, place)
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.contype = 'f' AND c.conrelid = %(relation)s AND c.conname = %(name)s
ORDER BY k.place
