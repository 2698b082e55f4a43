"""The questions that dbtrust asks PostgreSQL, one .sql file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import LiteralString, cast


@cache
def question(name: str) -> LiteralString:
    """The text of sql/NAME.sql. It is part of this package, hence literal."""
    return cast(LiteralString, files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))
