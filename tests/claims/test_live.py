"""`claims --postgres URL` judges that database itself: nothing is changed and, without --analyze, nothing executed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.claims.projects import project

from dbtrust.cli.main import run

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY, v text);\n"
#: What a rollback does not undo: executed once, the sequence would tell.
EXECUTED = "SELECT is_called FROM told"
QUERIES = """
-- name: by_id
-- claim: uses t_pkey on t
-- claim: examines at most 1 rows per result
-- claim: cost at most 9
-- claim: uses only_here
-- claim: at least 2x faster than without t_pkey
-- claim: no seq scan at 50 rows in t
-- example: id = 7
SELECT v FROM t WHERE id = :id;

-- name: scan
-- claim: no seq scan on t
SELECT count(*) FROM t;

-- name: calls
-- claim: no sort
SELECT noted();

-- name: rename
-- claim: uses t_pkey
-- example: id = 7
UPDATE t SET v = 'changed' WHERE id = :id;

-- name: counts
-- claim: no sort
SELECT nextval('told');

-- name: no_example
-- claim: uses t_pkey
SELECT v FROM t WHERE id = :id;

-- name: broken
-- claim: no sort
SELECT nothing FROM t;
"""
Run = Callable[..., dict[str, str]]


@pytest.fixture
def reader(pg: psycopg.Connection[Any], pg_database: str, postgres_url: str) -> Iterator[str]:
    """The URL of a role that may read the table and call a function that tells of it."""
    pg.execute(SCHEMA + "CREATE INDEX only_here ON t (v)")
    pg.execute("INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 5000) n")
    pg.execute("VACUUM ANALYZE t")
    pg.execute("CREATE SEQUENCE told")
    pg.execute(
        "CREATE FUNCTION noted() RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN RAISE ''executed''; END'"
    )
    role = "reader_" + pg.info.dbname
    pg.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(role)))
    pg.execute(sql.SQL("GRANT USAGE ON SEQUENCE told TO {}").format(sql.Identifier(role)))
    pg.execute(sql.SQL("GRANT SELECT, UPDATE ON t TO {}").format(sql.Identifier(role)))
    yield make_conninfo(pg_database, user=role, password="x")
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        pg.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """judged(*options): "query: claim" -> outcome and reason."""

    def call(*options: str) -> dict[str, str]:
        folder = project(tmp_path / "p", SCHEMA, QUERIES)
        run(["claims", str(folder), "--format", "json", *options])
        document = json.loads(capsys.readouterr().out)
        assert not document["errors"], document["errors"]
        return {
            f"{v['subject'].rpartition('.')[2]}: {v['claim'] or v['check']}": f"{v['verdict']} {v['reason']}".strip()
            for v in document["verdicts"]
        }

    return call


def test_a_database_in_use_is_judged_as_it_is(judged: Run, reader: str, pg: psycopg.Connection[Any]) -> None:
    assert judged("--postgres", reader) == {
        "by_id: query.prepares": "holds",
        "by_id: uses t_pkey on t": "holds",
        "by_id: examines at most 1 rows per result": "unproved undecided",
        "by_id: cost at most 9": "holds",
        "by_id: uses only_here": "refuted",
        "by_id: at least 2x faster than without t_pkey": "unproved no_server",
        "by_id: no seq scan at 50 rows in t": "unproved no_data",
        "scan: query.prepares": "holds",
        "scan: no seq scan on t": "refuted",
        "calls: query.prepares": "holds",
        "calls: no sort": "holds",
        "rename: query.prepares": "holds",
        "rename: uses t_pkey": "holds",
        "counts: query.prepares": "holds",
        "counts: no sort": "holds",
        "no_example: query.prepares": "unproved no_example",
        "no_example: uses t_pkey": "unproved no_example",
        "broken: query.prepares": "refuted server_error",
        "broken: no sort": "unproved server_error",
    }
    assert pg.execute("SELECT count(*) FROM t WHERE v = 'changed'").fetchone() == (0,)
    assert pg.execute(EXECUTED).fetchone() == (False,)


def test_analyze_executes_what_only_reads(judged: Run, reader: str, pg: psycopg.Connection[Any]) -> None:
    found = judged("--postgres", reader, "--analyze")
    assert found["by_id: examines at most 1 rows per result"] == "holds"
    assert found["calls: query.prepares"] == "refuted server_error"
    assert found["rename: uses t_pkey"] == "holds"
    assert pg.execute("SELECT count(*) FROM t WHERE v = 'changed'").fetchone() == (0,)
    assert pg.execute(EXECUTED).fetchone() == (False,)


def test_the_environment_names_a_server_for_scratch_databases(
    judged: Run, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBTRUST_POSTGRES", postgres_url)
    found = judged("--only", "claim.uses")
    assert found["by_id: uses only_here"] == "refuted missing_object"


def test_a_selection_stays_within_claims(judged: Run, reader: str) -> None:
    assert set(judged("--postgres", reader, "--only", "claim.cost")) == {"by_id: cost at most 9"}
    assert judged("--postgres", reader, "--only", "schema") == {}


STORE = """
from pydantic import BaseModel
from pymongo import IndexModel
from dbtrust import Collection, MongoQueries, claim, example


class Thing(BaseModel):
    k: int


things = Collection("things", Thing, indexes=[IndexModel([("k", 1)], name="k")])


class Things(MongoQueries):
    @claim("uses k on things", "no collection scan", "examines at most 1 documents per result")
    @claim("at least 2x faster than without k")
    @example("one", k=3)
    def by_k(self, k: int) -> list[dict]:
        self.db.things.insert_one({"k": 999})
        return list(self.db.things.find({"k": k}))

    @claim("examines at most 9 documents per result")
    def grow(self):
        self.db.things.update_many({"k": 1}, {"$inc": {"n": 1}})
"""
MONGO = """
[project]
name = "live"
python = ["."]
[mongo]
collections = ["live_store:things"]
queries = ["live_store:Things"]
"""


@pytest.mark.parametrize("index", [True, False])
def test_mongo_runs_the_method_elsewhere(
    tmp_path: Path, mongo_url: str, mongo_db: Any, capsys: pytest.CaptureFixture[str], index: bool
) -> None:
    (tmp_path / "dbtrust.toml").write_text(MONGO)
    (tmp_path / "live_store.py").write_text(STORE)
    mongo_db.things.insert_many([{"k": n} for n in range(50)])
    if index:
        mongo_db.things.create_index("k", name="k")
    arguments = [
        "claims",
        str(tmp_path),
        "--mongo",
        mongo_url,
        "--database",
        mongo_db.name,
        "--format",
        "json",
    ]
    run([*arguments, "--analyze"] if index else arguments)
    document = json.loads(capsys.readouterr().out)
    assert not document["errors"], document["errors"]
    found = {v["claim"]: f"{v['verdict']} {v['reason']}".strip() for v in document["verdicts"] if v["claim"]}
    word = "holds" if index else "refuted"
    assert found == {
        "uses k on things": "holds" if index else "refuted missing_object",
        "no collection scan": word,
        "examines at most 1 documents per result": "holds" if index else "unproved undecided",
        "at least 2x faster than without k": "unproved no_server" if index else "refuted missing_object",
        # A write is explained without being executed, also with --analyze.
        "examines at most 9 documents per result": "unproved undecided",
    }
    assert mongo_db.things.count_documents({}) == 50
    assert document["not_examined"]


def test_a_url_without_a_database_is_told(
    tmp_path: Path, mongo_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbtrust.toml").write_text(MONGO)
    (tmp_path / "live_store.py").write_text(STORE)
    assert run(["claims", str(tmp_path), "--mongo", mongo_url]) == 2
    assert "names no database" in capsys.readouterr().err


def test_a_query_is_explained_on_the_database_itself(
    tmp_path: Path, reader: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(project(tmp_path / "p", SCHEMA, QUERIES))
    arguments = ["claims", "explain", "by_id", folder, "--postgres", reader, "--format", "json"]
    assert run(arguments) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert (plan["nodes"][0]["index"], plan["nodes"][0]["rows"]) == ("t_pkey", None)
    assert run([*arguments, "--analyze"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["nodes"][0]["rows"] == 1
    assert run(["claims", "explain", "broken", folder, "--postgres", reader]) == 2
    assert "nothing" in capsys.readouterr().err
