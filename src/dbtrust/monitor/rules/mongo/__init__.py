"""MongoDB's diagnostics, one module each."""
