"""What a query's signature promises, decided over the tree that the server's own analysis made of the query."""
