"""Decorators of a project that are given no text: an error at their line, not silence and not a bug."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbtrust import check

CONFIG = '[project]\nname = "p"\npython = ["."]\n[mongo]\nqueries = ["marks_of_p:Things"]\n'
STORE = "from dbtrust import MongoQueries, claim, example\n\n\nclass Things(MongoQueries):\n    {}\n    def all(self):\n        return 1\n"


@pytest.mark.parametrize(
    ("decorator", "said"),
    [
        ("@claim(5)", "@claim takes texts, not 5"),
        ("@claim(['no sort'])", "@claim takes texts, not ['no sort']"),
        ("@claim", "@claim takes texts, not the function: write its text in brackets"),
        ("@example(7)", "@example takes texts, not 7"),
        ("@example", "@example takes texts, not the function"),
    ],
)
def test_a_mark_that_is_no_text(tmp_path: Path, decorator: str, said: str) -> None:
    (tmp_path / "dbtrust.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "marks_of_p.py").write_text(STORE.format(decorator), encoding="utf-8")
    report = check(tmp_path, only=["trace"])
    assert report.exit_code == 2
    assert [(str(e.location), said in e.message) for e in report.errors] == [("marks_of_p.py:5:6", True)], (
        report.errors
    )


def test_a_module_that_cannot_be_imported_is_told_once(tmp_path: Path) -> None:
    more = 'collections = ["marks_of_p:a", "marks_of_p:b"]\n'
    (tmp_path / "dbtrust.toml").write_text(CONFIG + more, encoding="utf-8")
    (tmp_path / "marks_of_p.py").write_text("raise ValueError('no')\n", encoding="utf-8")
    assert len(check(tmp_path, only=["trace"]).errors) == 1
