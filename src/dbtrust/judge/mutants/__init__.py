"""Mutants of a schema: which single changes of its objects are tried, from a catalog alone."""
