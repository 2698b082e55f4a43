"""dbtrust claims explain: queries of a project on real servers, saved plans, formats, exit codes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dbtrust.cli.main import run
from dbtrust.report.plan import plan_schema

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mongo"
TEXT = (
    "Index Scan using i on t  (cost=0.29..8.31 rows=5000 width=4) (actual time=0.011..0.012 rows=1 loops=1)\n"
    "  Index Cond: (id = 1)\n  Buffers: shared hit=3\n"
)
FILES = {
    "dbtrust.toml": '[project]\nname = "small"\npython = ["."]\n[postgres]\nschema = ["s.sql"]\nqueries = ["*_queries.sql"]\n'
    '[mongo]\nversion = "6.0"\ncollections = ["code_under_explain:things"]\nqueries = ["code_under_explain:Things"]\n'
    '[data.t]\nfile = "d.sql"\nrows = 3000\n',
    "s.sql": "CREATE TABLE t (id int PRIMARY KEY, v text);",
    "d.sql": "INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, :rows) AS n",
    "t_queries.sql": "-- name: one\n-- example the first: id = 7\n-- example: id = 1 + 1\nSELECT v FROM t WHERE id = :id;\n\n"
    "-- name: without\nSELECT v FROM t WHERE id = :id;\n\n-- name: every\nSELECT count(*) FROM t;\n\n"
    "-- name: write\nUPDATE t SET v = '' WHERE id < 10;\n\n-- name: wrong\nSELECT nothing FROM t;\n\n"
    "-- name: sorted\n-- choice: column = id | v\nSELECT v FROM t ORDER BY {column} LIMIT 1;\n",
    "u_queries.sql": "-- name: every\nSELECT 1;\n",
    "code_under_explain.py": "from pydantic import BaseModel\nfrom pymongo import IndexModel\n"
    "from dbtrust import Collection, MongoQueries, example\nclass Thing(BaseModel):\n    name: str\n"
    'things = Collection("things", Thing, indexes=[IndexModel([("name", 1)], name="by_name")])\n'
    "class Things(MongoQueries):\n"
    '    @example("a thing", name="a")\n    def named(self, name: str) -> list:\n'
    '        self.db.things.count_documents({})\n        return list(self.db.things.find({"name": name}))\n',
}  # fmt: skip
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def explain(
    postgres_url: str, mongo_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    """explain(*arguments): exit code, stdout, stderr, in scratch databases of the session's servers."""
    monkeypatch.setenv("DBTRUST_POSTGRES", postgres_url)
    monkeypatch.setenv("DBTRUST_MONGO", mongo_url)

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(["claims", "explain", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def valid(text: str) -> dict[str, Any]:
    document = json.loads(text)
    jsonschema.validate(document, plan_schema(), cls=jsonschema.Draft202012Validator)
    return document["plan"]


def test_a_query_of_the_project(project: Path, explain: Call) -> None:
    code, out, err = explain("query:t_queries.one", project)
    assert (code, err) == (0, "")
    assert "query:t_queries.one, example the first" in out
    assert "Index Scan using t_pkey on public.t" in out
    assert "(t.id = '7'::smallint)" in out


def test_its_other_example(project: Path, explain: Call) -> None:
    code, out, _ = explain("one", project, "--example", "id = 1 + 1", "--format", "json")
    assert code == 0
    assert "= '2'::smallint)" in valid(out)["nodes"][0]["detail"]["Index Cond"]
    code, _, err = explain("one", project, "--example", "the firts")
    assert code == 2
    assert "t_queries.sql:1:" in err and "did you mean 'the first'?" in err


def test_a_write_is_rolled_back(project: Path, explain: Call) -> None:
    plan = valid(explain("write", project, "--format", "json")[1])
    assert [node["type"] for node in plan["nodes"]] == ["ModifyTable", "Index Scan"]
    assert plan["nodes"][1]["rows"] == 9


def test_choices_are_several_plans(project: Path, explain: Call) -> None:
    code, out, err = explain("sorted", project)
    assert code == 0 and "Index Scan" in out
    assert "plan 1 of 2 is shown; --plan 2 shows the next one" in err


def test_one_of_several_plans(tmp_path: Path, explain: Call) -> None:
    file = tmp_path / "plans.txt"
    file.write_text(TEXT + TEXT.replace(" using i ", " using j "), encoding="utf-8")
    code, out, err = explain(file)
    assert code == 0 and "using i" in out and "plan 1 of 2 is shown; --plan 2" in err
    code, out, err = explain(file, "--plan", "2")
    assert (code, err) == (0, "") and "using j" in out and "line 4" in out
    code, _, err = explain(file, "--plan", "3")
    assert code == 2 and "there are 2 plans" in err


def test_a_method_of_mongodb(project: Path, explain: Call) -> None:
    code, out, err = explain("Things.named", project, "--plan", "2")
    assert (code, err) == (0, "")
    assert "query:Things.named, example a thing" in out
    assert "IXSCAN using by_name on things" in out
    assert '"find": "things"' in out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("oen", "did you mean t_queries.one?"), ("every", "several queries are called every: t_queries.every, u_queries.every"),
        ("without", "has parameters and no example"), ("wrong", 'column "nothing" does not exist'),
        ("Things.name", "did you mean Things.named?"), ("one.json", "no file and no query of small is called one.json"),
    ],
)  # fmt: skip
def test_names_that_lead_to_no_plan(project: Path, explain: Call, name: str, words: str) -> None:
    code, out, err = explain(name, project)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_no_server(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    urls = ["--postgres", "postgresql://127.0.0.1:1/x"]
    assert run(["claims", "explain", "one", str(project), *urls]) == 3
    assert "127.0.0.1" in capsys.readouterr().err


def test_no_project(tmp_path: Path, explain: Call) -> None:
    code, _, err = explain("plan.json", tmp_path)
    assert code == 2
    assert "no file plan.json, and no query" in err


def test_a_saved_plan(tmp_path: Path, explain: Call) -> None:
    file = tmp_path / "plan.txt"
    file.write_text(TEXT, encoding="utf-8")
    code, out, err = explain(file)
    assert (code, err) == (0, "")
    assert "PostgreSQL text plan of" in out
    assert "5,000 → 1" in out and "5,000× too high" in out
    plan = valid(explain(file, "--format", "json")[1])
    assert plan["nodes"][0] | {"cost": 8.31, "hit": 3, "parent": None, "keys": None} == plan["nodes"][0]
    page = explain(file, "--format", "html")[1]
    assert page.startswith("<!doctype html>") and "using i on t" in page and "src=" not in page
    code, out, _ = explain(file, "--format", "json", "--output", tmp_path / "out.json")
    assert (code, out) == (0, "")
    assert valid((tmp_path / "out.json").read_text()) == plan


def test_a_file_wins_over_a_query(project: Path, explain: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "one").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(project)
    assert "PostgreSQL text plan of one" in explain("one")[1]


def test_standard_input(explain: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    code, out, _ = explain("-")
    assert code == 0 and "plan of standard input" in out


def test_no_plan_is_exit_2_and_one_document(tmp_path: Path, explain: Call) -> None:
    file = tmp_path / "note.txt"
    file.write_text("no plan", encoding="utf-8")
    code, out, err = explain(file, "--format", "json")
    assert code == 2 and "note.txt:1:1: error: no plan" in err
    assert json.loads(out)["errors"][0]["code"] == 2


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.json")), ids=lambda path: path.stem)
def test_documents_of_mongodb_fit_the_schema(path: Path, explain: Call) -> None:
    assert valid(explain(path, "--format", "json")[1])["engine"] == "mongo"


def test_help_names_the_sub_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["claims", "--help"]) == 0
    assert "explain" in capsys.readouterr().out
