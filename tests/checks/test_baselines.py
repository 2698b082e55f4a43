"""`claims baseline` and claim.baseline on whole projects: taken, held, broken, and taken again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.checks.conftest import PROJECTS, Edit, broken

from dbtrust import Report, check
from dbtrust.checks.api import Options
from dbtrust.checks.baselines import take_baselines
from dbtrust.cli.main import run
from dbtrust.model.report import Verdict
from dbtrust.report.json import schema

SMALL = {
    "dbtrust.toml": '[project]\nname = "small"\n[postgres]\nschema = ["s.sql"]\nqueries = ["q.sql"]\n[data.t]\nfile = "d.sql"\nrows = 20_000\n',
    "s.sql": "CREATE TABLE t (id int PRIMARY KEY, a int, b int);\nCREATE INDEX t_ab ON t (a, b);\nCREATE INDEX t_b ON t (b);\n",
    "d.sql": "INSERT INTO t SELECT n, n % 100, n % 1000 FROM generate_series(1, :rows) AS n",
    "q.sql": "-- name: by_a\n-- example: a = 7, b = 107\n-- example other: a = 8, b = 8\nSELECT * FROM t WHERE a = :a AND b = :b;\n"
    "-- name: ordered\n-- choice: way = asc | desc\nSELECT id FROM t ORDER BY b {way} LIMIT 5;\n"
    "-- name: drawn\nSELECT * FROM t WHERE id = :id;\n"
    "-- name: pair\n-- example: n = 3\nSELECT x.id FROM t x JOIN t y ON x.a = y.id WHERE x.b = :n;\n",
}
Taken = Callable[..., tuple[int, dict[str, Any]]]
QUERIES = ("by_a", "ordered", "pair")


def written(folder: Path) -> Path:
    folder.mkdir()
    for name, text in SMALL.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return written(tmp_path / "small")


@pytest.fixture(scope="module")
def taken_once(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Path:
    folder = written(tmp_path_factory.mktemp("taken") / "small")
    report = take_baselines(Options(folder, postgres=postgres_url), dry=False)
    assert report.exit_code == 0, report
    return folder


@pytest.fixture
def taken(taken_once: Path, tmp_path: Path) -> Path:
    """The small project with its baselines."""
    return Path(shutil.copytree(taken_once, tmp_path / "small"))


@pytest.fixture
def take(postgres_url: str, mongo_url: str, librarian: None, capsys: pytest.CaptureFixture[str]) -> Taken:
    """take(folder, *options): exit code and document of `claims baseline`."""

    def call(folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
        servers = ("--postgres", postgres_url, "--mongo", mongo_url, "--format", "json")
        code = run(["claims", "baseline", str(folder), *options, *servers])
        document = json.loads(capsys.readouterr().out)
        jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
        return code, document

    return call


@pytest.fixture
def judge(postgres_url: str, mongo_url: str) -> Callable[[Path], dict[str, Verdict]]:
    def call(folder: Path) -> dict[str, Verdict]:
        report: Report = check(folder, only=["claim.baseline"], postgres=postgres_url, mongo=mongo_url)
        assert not report.errors, report.errors
        return {v.subject: v for v in report.verdicts}

    return call


def edit(folder: Path, *edits: Edit) -> None:
    for file, old, new in edits:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, f"{file} holds no {old!r}"
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def files(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder / "baselines").as_posix(): p.read_text(encoding="utf-8")
        for p in (folder / "baselines").rglob("*.json")
    }


def said(document: dict[str, Any]) -> dict[str, str]:
    return {v["subject"].removeprefix("query:q."): v["message"] for v in document["verdicts"]}


def test_taken_held_and_taken_again(small: Path, take: Taken, judge: Any) -> None:
    code, document = take(small, "--check")
    assert code == 1 and not (small / "baselines").exists()
    assert said(document)["by_a"] == "baselines/postgres/q.by_a.json is new"
    code, document = take(small)
    assert code == 0
    assert sorted(files(small)) == [f"postgres/q.{name}.json" for name in QUERIES]
    assert said(document)["drawn"].startswith("not taken: it has parameters and no example")
    first = files(small)
    assert take(small, "--check")[0] == 0
    code, document = take(small)
    assert code == 0 and {said(document)[name] for name in QUERIES} == {"unchanged"} and files(small) == first
    found = judge(small)
    assert {v.subject: v.verdict for v in found.values()} == {f"query:q.{name}": "holds" for name in QUERIES}
    assert found["query:q.by_a"].location.file == "q.sql"
    words = [e["choices"] for e in json.loads(first["postgres/q.ordered.json"])["examples"]]
    assert words == [{"way": "asc"}, {"way": "desc"}]


@pytest.mark.parametrize(
    ("edits", "refuted"),
    [
        ([("s.sql", "CREATE INDEX t_ab ON t (a, b);", ""), ("q.sql", "JOIN t y", "LEFT JOIN t y")], {"by_a", "pair"}),
        ([("s.sql", "(a, b)", "(b, a)"), ("q.sql", "y.id WHERE x.b", "y.id WHERE y.b")], {"by_a", "pair"}),
        ([("s.sql", "CREATE INDEX t_b ON t (b);", "")], {"ordered", "pair"}),
    ],
    ids=["an index dropped, another type of join", "columns swapped, the other side", "the order lost"],
)  # fmt: skip
def test_what_is_broken_is_refuted(taken: Path, judge: Any, edits: Sequence[Edit], refuted: set[str]) -> None:
    edit(taken, *edits)
    found = judge(taken)
    assert {s.removeprefix("query:q.") for s, v in found.items() if v.verdict == "refuted"} == refuted
    for name in refuted:
        verdict = found[f"query:q.{name}"]
        assert verdict.evidence["difference"][:2] == ["--- baseline", "+++ now"]
        assert verdict.evidence["cost_before"] and verdict.evidence["cost_after"]
        assert verdict.evidence["node"]["id"] in [n["id"] for n in verdict.evidence["plan"]["nodes"]]
        assert "dbtrust claims baseline" in verdict.next


def test_a_change_that_is_accepted(
    taken: Path, take: Taken, judge: Any, postgres_url: str, capsys: Any
) -> None:
    edit(taken, ("s.sql", "CREATE INDEX t_ab ON t (a, b);", ""))
    assert run(["check", str(taken), "--only", "claim.baseline", "--postgres", postgres_url]) == 1
    out = capsys.readouterr().out
    assert "\n        -Index" in out and "\n        --- baseline\n" in out
    assert run(["claims", "baseline", str(taken), "--check", "--postgres", postgres_url]) == 1
    out = capsys.readouterr().out
    assert "--- baselines/postgres/q.by_a.json" in out and "without --check" in out
    code, document = take(taken)
    changed = {
        v["subject"]: v["evidence"] for v in document["verdicts"] if v["message"].startswith("rewrote")
    }
    assert code == 0 and list(changed) == ["query:q.by_a"] and changed["query:q.by_a"]["difference"]
    assert {v.verdict for v in judge(taken).values()} == {"holds"}


def test_other_values_rows_and_queries(taken: Path, take: Taken, judge: Any, capsys: Any) -> None:
    edit(
        taken,
        ("q.sql", "other: a = 8, b = 8", "other: a = 9, b = 909"),
        ("q.sql", "-- name: ordered", "-- name: renamed"),
    )
    found = judge(taken)
    assert found["query:q.by_a"].verdict == "holds", "the same decision with other values"
    gone = found["query:q.ordered"]
    assert (gone.verdict, gone.location.file) == ("refuted", "baselines/postgres/q.ordered.json")
    assert "query:q.renamed" not in found, "no baseline, no verdict"
    edit(taken, ("q.sql", "-- example: a = 7, b = 107\n", ""))
    missing = judge(taken)["query:q.by_a"]
    assert (missing.verdict, missing.reason) == ("unproved", "no_example")
    _, document = take(taken, "--only", "q.by_a")
    assert said(document) == {"by_a": "rewrote baselines/postgres/q.by_a.json"}
    assert "postgres/q.ordered.json" in files(taken)
    _, document = take(taken)
    assert said(document)["ordered"] == "removed baselines/postgres/q.ordered.json: its query is gone"
    assert sorted(files(taken)) == ["postgres/q.by_a.json", "postgres/q.pair.json", "postgres/q.renamed.json"]
    edit(taken, ("dbtrust.toml", "20_000", "20"))
    found = judge(taken)["query:q.by_a"]
    assert found.verdict == "refuted" and "other rows)" in found.message
    code, document = take(taken, "--only", "nothing")
    assert code == 2 and "no query is called that" in document["errors"][0]["message"]


def test_what_cannot_be_judged(taken: Path, take: Taken, judge: Any, postgres_url: str) -> None:
    file = taken / "baselines/postgres/q.pair.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"server": "17"', '"server": "16"'), encoding="utf-8")
    assert judge(taken)["query:q.pair"].reason == "version"
    edit(taken, ("d.sql", "n % 100", "nothing"))
    report = check(taken, only=["claim.baseline"], postgres=postgres_url)
    assert {v.reason for v in report.verdicts} == {"no_data", "version"}
    away = check(taken, only=["claim.baseline"], postgres="postgresql://localhost:1/x")
    assert {(v.subject, v.verdict, v.reason) for v in away.verdicts} == {
        (f"query:q.{name}", "unproved", "no_server") for name in QUERIES
    }
    file.write_text(text.replace('"format": 1', '"format": 9'), encoding="utf-8")
    report = check(taken, only=["claim.baseline"], postgres=postgres_url)
    assert report.exit_code == 2
    assert ("baselines/postgres/q.pair.json", 2) in {
        (e.location.file, e.location.line) for e in report.errors
    }
    before = files(taken)
    code, document = take(taken)
    assert code == 2 and "newer dbtrust" in document["errors"][0]["message"] and files(taken) == before


def test_a_folder_that_cannot_be_written(small: Path, take: Taken) -> None:
    (small / "baselines").write_text("in the way", encoding="utf-8")
    code, document = take(small)
    assert code == 2 and document["errors"][0]["message"].startswith("cannot write baselines: ")
    assert take(small, "--check")[0] == 1, "a dry run writes nothing"


def test_a_query_that_fails_keeps_its_file(taken: Path, take: Taken) -> None:
    before = files(taken)
    edit(taken, ("q.sql", "SELECT x.id", "SELECT x.nothing"))
    code, document = take(taken)
    assert code == 0 and files(taken) == before
    assert said(document)["pair"].startswith("not taken, the file stays as it is: 42703")


def test_both_engines_of_the_library(tmp_path: Path, take: Taken, judge: Any) -> None:
    folder = broken(PROJECTS / "library", tmp_path / "library", [])
    code, document = take(folder)
    assert code == 0, document
    names = sorted(files(folder))
    assert "mongo/Readings.latest.json" in names and "postgres/books.overdue.json" in names
    assert {v.verdict for v in judge(folder).values()} == {"holds"}
    edit(folder, ("migrations/02_readings.py", '[("sensor", 1), ("at", -1)]', '[("at", -1), ("sensor", 1)]'))
    edit(folder, ("lib/events.py", '[("sensor", 1), ("at", -1)]', '[("at", -1), ("sensor", 1)]'))
    edit(
        folder,
        ("migrations/03_loans.sql", "CREATE INDEX loan_open ON loans.loan (due) WHERE NOT returned;", ""),
    )
    found = judge(folder)
    bad = {s.removeprefix("query:") for s, v in found.items() if v.verdict == "refuted"}
    assert bad == {"Readings.latest", "Readings.times", "Readings.forget", "books.overdue"}
    latest = found["query:Readings.latest"].evidence
    assert '-          Index: {"sensor": 1, "at": -1}' in latest["difference"]
    assert latest["node"]["type"] == "IXSCAN" and "cost_before" not in latest
