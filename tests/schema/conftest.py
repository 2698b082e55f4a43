"""Schemas on the session's server, judged by the role that owns them, and small projects for mutation runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbtrust import Report, check
from dbtrust.engine.postgres.promises import read_promises
from dbtrust.model.report import Verdict
from dbtrust.schema.constraints_postgres import judge_rules

SHAPES = Path(__file__).parent / "shapes"
Judged = Callable[..., dict[str, Verdict]]
Mutated = Callable[..., Report]
#: Written by a project's tests command as its exit code.
Fates = dict[tuple[str, str], tuple[str, str]]


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


@pytest.fixture
def mutated(tmp_path: Path, postgres_url: str, mongo_url: str) -> Mutated:
    """mutated({path: text}, only=…): the report of a mutation run over a project of these files."""

    def run(files: Mapping[str, str], *, only: str = "postgres") -> Report:
        nothing = {"proofs/none.sql": "-- none\n", "queries/none.sql": "-- none\n"}
        for name, text in {**nothing, **files}.items():
            path = tmp_path / "project" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        wanted = ["schema.mutation", *([only] if only else [])]
        return check(tmp_path / "project", only=wanted, postgres=postgres_url, mongo=mongo_url)

    return run


def fates(report: Report) -> Fates:
    """(subject, mutant in words) -> (outcome, by); the run itself must have gone well."""
    assert not report.errors, report.errors
    return {
        (v.subject, told["mutant"]): (told["outcome"], told["by"])
        for v in report.verdicts
        for told in v.evidence.get("mutants", ())
    }


def total(report: Report) -> Any:
    """The verdict of the whole run."""
    return next(v for v in report.verdicts if v.subject.startswith("file:"))
