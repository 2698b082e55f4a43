"""Programs that the Python of a project runs: nothing else lies here, since this folder leads their import path."""
