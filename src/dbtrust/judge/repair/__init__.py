"""SQL that makes one PostgreSQL catalog equal to another: written out, never run."""
