"""schema.drift as a user calls it: whole projects against databases that have drifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg import sql

from dbtrust import Report, check
from dbtrust.checks.select import Selection
from dbtrust.cli.frame import dbtrust
from dbtrust.engine.mongo.urls import database_of, with_database

SQL = """CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE people (
  id int PRIMARY KEY,
  name citext NOT NULL,
  mood mood
);
CREATE INDEX people_name ON people (name);
"""
PYTHON = """from pydantic import BaseModel
from pymongo import IndexModel
from dbtrust import Collection

class Note(BaseModel):
    text: str

notes = Collection("notes", Note, indexes=[IndexModel([("text", 1)], name="by_text")])
"""
CONFIG = """[project]
name = "small"
python = ["."]
[postgres]
version = "17"
schema = ["schema.sql"]
extensions = ["citext"]
[mongo]
version = "6.0"
collections = ["notebook:notes"]
[targets.live]
postgres = "file:pg.url"
mongo = "file:mongo.url"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "dbtrust.toml": CONFIG,
        "schema.sql": SQL.removeprefix("CREATE EXTENSION citext;\n"),
        "notebook.py": PYTHON,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def told(report: Report) -> dict[str, str]:
    assert not report.errors, report.errors
    return {v.subject: v.verdict for v in report.verdicts}


def test_postgres_from_equal_to_drifted_and_back(
    project: Path, pg_database: str, pg: psycopg.Connection[Any]
) -> None:
    pg.execute(SQL.encode())
    report = check(project, only=["schema.drift", "postgres"], postgres=pg_database)
    assert told(report) == {"database:small": "holds"}
    assert (report.exit_code, report.servers["postgres"].embedded) == (0, False)  # type: ignore[union-attr]
    pg.execute(
        "ALTER TABLE people ALTER COLUMN name DROP NOT NULL; DROP INDEX people_name; CREATE TABLE left_over ()"
    )
    report = check(project, only=["schema.drift", "postgres"], postgres=pg_database)
    assert told(report) == {
        "table:people": "refuted", "index:people_name": "refuted", "table:left_over": "refuted",
    }  # fmt: skip
    assert report.exit_code == 1
    places = {v.subject: (v.location.file, v.location.line) for v in report.verdicts}
    assert places == {
        "table:people": ("schema.sql", 2), "index:people_name": ("schema.sql", 7), "table:left_over": (None, None),
    }  # fmt: skip
    for verdict in sorted(report.verdicts, key=lambda v: v.evidence["order"]):
        for statement in verdict.next.splitlines():
            if not statement.startswith("--"):
                pg.execute(statement.encode())
    assert told(check(project, only=["schema.drift", "postgres"], postgres=pg_database)) == {
        "database:small": "holds"
    }


def test_nothing_is_made_on_the_target(project: Path, pg_database: str, postgres_url: str) -> None:
    """A role without rights, and the databases of the server are those that it had."""
    role = f"r_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN NOCREATEDB").format(sql.Identifier(role)))
        try:
            names = "SELECT datname, xact_commit FROM pg_stat_database WHERE datname LIKE 'dbtrust%'"
            before = admin.execute(names).fetchall()
            url = psycopg.conninfo.make_conninfo(pg_database, user=role)
            report = check(project, only=["schema.drift", "postgres"], postgres=url)
            assert admin.execute(names).fetchall() == before
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
    assert "table:people" in told(report)


def test_mongo_both_directions(project: Path, mongo_db: Any, mongo_url: str) -> None:
    url = with_database(mongo_url, mongo_db.name)
    mongo_db.notes.insert_one({"text": 7})
    mongo_db.create_collection("old")
    report = check(project, only=["schema.drift", "mongo"], mongo=url)
    assert told(report) == {
        "collection:notes": "refuted", "index:notes.by_text": "refuted", "collection:old": "refuted",
    }  # fmt: skip
    notes = next(v for v in report.verdicts if v.subject == "collection:notes")
    assert notes.evidence["violators"]["count"] == 1 and notes.location.file == "dbtrust.toml"


def test_a_named_target_with_both_engines(
    project: Path, pg_database: str, pg: psycopg.Connection[Any], mongo_db: Any, mongo_url: str
) -> None:
    pg.execute(SQL.encode())
    (project / "pg.url").write_text(pg_database, encoding="utf-8")
    (project / "mongo.url").write_text(with_database(mongo_url, mongo_db.name), encoding="utf-8")
    arguments = ["check", str(project), "--only", "schema.drift", "--target", "live"]
    said = CliRunner().invoke(dbtrust, arguments, standalone_mode=False)
    assert said.return_value == 1, said.output
    assert "schema.drift: " in said.output and "no difference" in said.output
    assert 'next: db.runCommand({"create": "notes"' in said.output


def test_without_a_target_it_is_asked_for(project: Path) -> None:
    report = check(project, only=["schema.drift"])
    assert report.exit_code == 2 and "--target NAME" in report.errors[0].next


def test_an_engine_without_a_target_is_unproved(
    project: Path, pg_database: str, pg: psycopg.Connection[Any]
) -> None:
    pg.execute(SQL.encode())
    report = check(project, only=["schema.drift"], postgres=pg_database)
    assert sorted((v.engine or "", v.verdict, v.reason) for v in report.verdicts) == [
        ("mongo", "unproved", "no_server"), ("postgres", "holds", ""),
    ]  # fmt: skip


def test_a_url_without_a_database_and_a_server_that_is_not_there(project: Path, mongo_url: str) -> None:
    bare = mongo_url.replace(f"/{database_of(mongo_url)}?", "/?") if database_of(mongo_url) else mongo_url
    report = check(
        project,
        only=["schema.drift"],
        postgres="postgresql://nobody@127.0.0.1:1/x?connect_timeout=1",
        mongo=bare,
    )
    assert sorted(e.code for e in report.errors) == [2, 3]
    assert {(v.verdict, v.reason) for v in report.verdicts} == {("unproved", "no_server")}
    assert any("--database NAME" in e.next for e in report.errors)


def test_a_schema_that_cannot_be_built(project: Path, pg_database: str) -> None:
    (project / "schema.sql").write_text("CREATE TABLE x (a nosuchtype);", encoding="utf-8")
    report = check(project, only=["schema.drift", "postgres"], postgres=pg_database)
    assert [(v.verdict, v.reason) for v in report.verdicts] == [("unproved", "missing_object")]
    assert "nosuchtype" in report.errors[0].message


def test_a_project_that_declares_nothing(project: Path, pg_database: str) -> None:
    text = CONFIG.replace('schema = ["schema.sql"]\n', "").partition("[mongo]")[0]
    (project / "dbtrust.toml").write_text(text, encoding="utf-8")
    report = check(project, only=["schema.drift"], postgres=pg_database)
    assert [v.verdict for v in report.verdicts] == ["not_applicable"] and report.exit_code == 0


@pytest.mark.parametrize(
    ("words", "named"),
    [(["schema.drift"], True), (["schema.d"], True), (["schema."], False), (["schema"], False), ([], False),
     (["schema.drift", "claim."], True), (["postgres"], False)],
)  # fmt: skip
def test_it_runs_only_when_it_is_named(words: list[str], named: bool) -> None:
    assert Selection.of(words).names("schema.drift") is named
