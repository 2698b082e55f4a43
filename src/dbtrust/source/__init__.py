"""Reads the repository of the user: configuration, queries, migrations, tags."""
