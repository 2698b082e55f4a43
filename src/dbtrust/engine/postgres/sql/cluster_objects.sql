-- What belongs to no database: a script that makes one leaves it on the server when its database is dropped.
SELECT 'role' AS kind, rolname AS name FROM pg_roles WHERE rolname !~ '^(pg|dbtrust)_'
UNION ALL
SELECT 'database', datname FROM pg_database WHERE datname !~ '^dbtrust_'
ORDER BY 1, 2
