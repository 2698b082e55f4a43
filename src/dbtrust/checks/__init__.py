"""The verb `check`: everything that needs no production server."""
