"""The questions that dbtrust asks a PostgreSQL server: one .sql file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def load(name: str) -> bytes:
    """The text of `name`.sql (UTF-8), as bytes, which psycopg takes as a query.

    In files that take parameters psycopg reads `%`: a literal one is doubled there.
    """
    return files(__name__).joinpath(f"{name}.sql").read_bytes()
