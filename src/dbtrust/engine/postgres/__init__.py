"""PostgreSQL: connections, catalog, EXPLAIN and the embedded server."""
