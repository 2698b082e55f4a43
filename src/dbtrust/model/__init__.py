"""The nouns of dbtrust: frozen dataclasses without I/O, shared by both engines."""
