-- Collations that take different texts for equal.
SELECT c.oid::int8 FROM pg_collation c WHERE NOT c.collisdeterministic;
