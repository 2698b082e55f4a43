"""Small projects for mutation runs, on the session's servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dbtrust import Report, check

Mutated = Callable[..., Report]
#: Written by a project's tests command as its exit code.
Fates = dict[tuple[str, str], tuple[str, str]]


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
