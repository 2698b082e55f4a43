"""MongoDB: connections, catalog, explain and the embedded server."""
