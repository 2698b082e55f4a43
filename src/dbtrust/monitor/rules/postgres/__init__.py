"""PostgreSQL's diagnostics, one module each."""
