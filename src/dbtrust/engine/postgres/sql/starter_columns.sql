-- The columns of a table that an INSERT has to or may fill, with what a made-up value must fit.
SELECT
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    coalesce(b.typname, t.typname) AS base,
    coalesce(b.typtype, t.typtype) = 'e' AS is_enum,
    coalesce(b.typcategory, t.typcategory) = 'A' AS is_array,
    CASE WHEN t.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 THEN a.atttypmod - 4 END AS length,
    a.attnotnull OR t.typnotnull AS not_null,
    a.attgenerated <> '' AS generated,
    a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false) AS numbered,
    d.adbin IS NOT NULL AS has_default,
    f.parent_schema,
    f.parent,
    f.parent_column
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (
    SELECT n.nspname AS parent_schema, r.relname AS parent, p.attname AS parent_column
    FROM pg_constraint AS c
    JOIN pg_class AS r ON r.oid = c.confrelid
    JOIN pg_namespace AS n ON n.oid = r.relnamespace
    JOIN pg_attribute AS p ON p.attrelid = c.confrelid AND p.attnum = c.confkey[array_position(c.conkey, a.attnum)]
    WHERE c.contype = 'f' AND c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)
    ORDER BY cardinality(c.conkey), c.conname
    LIMIT 1
) AS f ON true
WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
