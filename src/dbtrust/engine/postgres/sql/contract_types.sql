-- Which of these types are domains that refuse NULL.
SELECT t.oid::int8 AS oid FROM pg_type t WHERE t.oid = ANY (%(oids)s::oid[]) AND t.typtype = 'd' AND t.typnotnull;
