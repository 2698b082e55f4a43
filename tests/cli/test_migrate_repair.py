"""`migrate repair` where the first step was interrupted in the middle of its work: nothing is forgotten or left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.migrating import Call, caller, states, told, write
from tests.migrate.histories import ALONE
from tests.migrate.test_runner_postgres_resume import indexes, killed


@pytest.fixture
def call(pg_database: str, mongo_db: Any, mongo_url: str, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller(capsys, postgres=pg_database, mongo=mongo_url.replace("/?", f"/{mongo_db.name}?"))


def refused(call: Call, project: Path, mark: str) -> str:
    code, document = call("repair", "1", project, "--mark", mark)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert "--whole" in document["verdicts"][0]["next"]
    return document["verdicts"][0]["message"]


def test_a_batched_update_that_stopped_in_the_middle_is_finished_and_not_doubled(
    call: Call, tmp_path: Path, mongo_db: Any
) -> None:
    text = (
        "from dbtrust.migrations import *\n"
        "steps = [update_in_batches('c', {}, {'$inc': {'n': 1}}, size=1), create_index('c', [('n', 1)], name='i')]\n"
    )
    mongo_db.create_collection("c", validator={"n": {"$lt": 9}})
    mongo_db.c.insert_many([{"_id": 1, "n": 0}, {"_id": 2, "n": 0}, {"_id": 3, "n": 8}])
    project = write(tmp_path, {"0001_n.py": text})
    assert call("up", project)[0] == 1
    assert [d["n"] for d in mongo_db.c.find().sort("_id")] == [1, 1, 8]
    for mark in ("pending", "done"):
        assert "update c in batches of 1 was interrupted" in refused(call, project, mark)
    mongo_db.c.update_one({"_id": 3}, {"$set": {"n": 0}})
    assert call("up", project)[0] == 0
    assert [d["n"] for d in mongo_db.c.find().sort("_id")] == [1, 1, 1]
    assert "i" in mongo_db.c.index_information()


def test_an_index_build_that_was_killed_is_not_marked_as_done(
    call: Call, tmp_path: Path, pg_database: str, pg: psycopg.Connection[Any]
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    text = f"{ALONE}CREATE INDEX CONCURRENTLY ta ON t (a);\nALTER TABLE t ADD b int;\n"
    killed(pg_database, pg, text)
    project = write(tmp_path, {"0001_m.sql": text})
    for mark in ("done", "pending"):
        assert "CREATE INDEX CONCURRENTLY ta" in refused(call, project, mark)
    assert call("repair", "1", project, "--mark", "done", "--whole")[0] == 0
    assert states(call("status", project)[1]) == [("0001", "applied")]
    assert call("repair", "1", project, "--mark", "pending")[0] == 0
    pg.execute("DROP INDEX ta")
    assert call("up", project)[0] == 0
    assert indexes(pg) == [("ta", True)]


def test_a_step_that_failed_and_left_nothing_is_no_half(call: Call, tmp_path: Path, mongo_db: Any) -> None:
    text = "from dbtrust.migrations import *\nsteps = [create_index('c', 'e', name='ce', unique=True)]\n"
    mongo_db.c.insert_many([{"e": 1}, {"e": 1}])
    project = write(tmp_path, {"0001_e.py": text})
    assert call("up", project)[0] == 1
    assert call("repair", "1", project, "--mark", "pending")[0] == 0
    assert states(call("status", project)[1]) == [("0001", "pending")]
