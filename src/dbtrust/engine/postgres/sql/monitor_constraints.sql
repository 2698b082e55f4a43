-- Constraints that were added NOT VALID and never validated: old rows may break them.
SELECT n.nspname AS schema, r.relname AS "table", c.conname AS name, c.contype::text AS type,
       pg_get_constraintdef(c.oid) AS definition
  FROM pg_constraint c
  JOIN pg_class r ON r.oid = c.conrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
 WHERE NOT c.convalidated AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, r.relname, c.conname
