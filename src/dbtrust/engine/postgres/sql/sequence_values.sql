-- The user's sequences that count upwards: schema, name, the table (schema, name) and column that each belongs to (NULL: none), half
-- of its range.
SELECT n.nspname::text, c.relname::text, tn.nspname::text, t.relname::text, a.attname::text,
       s.seqmax / 2
  FROM pg_sequence s
  JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
  LEFT JOIN pg_depend own ON own.classid = 'pg_class'::regclass AND own.objid = c.oid
        AND own.refclassid = 'pg_class'::regclass AND own.refobjsubid > 0 AND own.deptype IN ('a', 'i')
  LEFT JOIN pg_class t ON t.oid = own.refobjid
  LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = own.refobjid AND a.attnum = own.refobjsubid
 WHERE s.seqincrement > 0 AND NOT s.seqcycle
