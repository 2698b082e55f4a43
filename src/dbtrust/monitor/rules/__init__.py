"""The diagnostics, one module each."""
