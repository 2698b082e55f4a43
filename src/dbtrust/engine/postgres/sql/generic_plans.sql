-- How often the server planned a prepared statement with its values and without them.
SELECT custom_plans, generic_plans FROM pg_catalog.pg_prepared_statements WHERE name = %(name)s
