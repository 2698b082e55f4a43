"""Schemas on the session's server, judged by the role that owns them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.promises import read_promises
from dbtrust.model.report import Verdict
from dbtrust.schema.constraints_postgres import judge_rules

SHAPES = Path(__file__).parent / "shapes"
Judged = Callable[..., dict[str, Verdict]]


def apply(connection: psycopg.Connection[Any], text: str) -> None:
    """The extensions that the first line names, then the schema."""
    found = re.match(r"-- extensions: (.*)", text)
    for name in found[1].split(", ") if found else []:
        connection.execute(f"CREATE EXTENSION {name}")  # pyright: ignore
    connection.execute(text)  # pyright: ignore


def verdicts(connection: psycopg.Connection[Any], **options: Any) -> list[Verdict]:
    return judge_rules(connection, read_promises(connection), **options)


@pytest.fixture
def judged(pg: psycopg.Connection[Any]) -> Iterator[Judged]:
    """judged(sql, …): subject -> verdict of every rule, after the statements."""

    def run(*statements: str, declared: Sequence[str] = ()) -> dict[str, Verdict]:
        for statement in declared:
            pg.execute(statement)  # pyright: ignore
        meant = read_promises(pg) if declared else None
        for statement in statements:
            pg.execute(statement)  # pyright: ignore
        found = verdicts(pg, declared=meant)
        assert len({v.subject for v in found}) == len(found)
        return {v.subject: v for v in found}

    yield run
