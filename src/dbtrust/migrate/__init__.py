"""Migrations: applied, undone and proven on real servers."""
