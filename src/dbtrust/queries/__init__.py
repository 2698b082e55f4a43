"""The runtime that people import in production: a driver and nothing else (no parser, no click, no rich)."""
