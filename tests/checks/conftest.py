"""A project of the tests, broken on purpose in a copy and checked on the session's servers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dbtrust import Report, check
from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.roles import create_roles

PROJECTS = Path(__file__).parents[1] / "projects"
SHOP = Path(__file__).parents[2] / "examples" / "shop"
Edit = tuple[str, str, str]
Checked = Callable[..., Report]


def broken(source: Path, target: Path, edits: Sequence[Edit]) -> Path:
    """A copy of a project in which each (file, old, new) is replaced once; the old text must be there."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    for file, old, new in edits:
        text = (target / file).read_text(encoding="utf-8")
        assert old in text, f"{file} holds no {old!r}"
        (target / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return target


@pytest.fixture(scope="session")
def librarian(postgres_url: str) -> None:
    """The role that the library names: on a server of the user's dbtrust makes none."""
    with connect(postgres_url) as connection:
        create_roles(connection, ["librarian"])


@pytest.fixture
def checked(tmp_path: Path, postgres_url: str, mongo_url: str, librarian: None) -> Checked:
    """checked((file, old, new), …, only=["postgres"], project=…): the report of a broken copy of the library."""

    def run(*edits: Edit, only: Sequence[str] = (), project: Path = PROJECTS / "library") -> Report:
        folder = broken(project, tmp_path / "project", edits)
        return check(folder, only=only, postgres=postgres_url, mongo=mongo_url)

    return run


def bad(report: Report) -> dict[tuple[str, str], str]:
    """(check, subject) -> message of everything refuted; the run itself must have gone well."""
    assert not report.errors, report.errors
    return {(v.check, v.subject): v.message for v in report.verdicts if v.verdict == "refuted"}
