"""The shop: users in PostgreSQL, products in MongoDB."""
