"""What people suffer from in other runners, through the command line: each is broken on purpose and must be seen mended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.cli.migrating import Call, caller, states, told, write

from dbtrust.engine.waiting import await_true

SECONDS = 60
ALONE = "-- migrate:up transaction:false\n"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], pg_database: str) -> Call:
    return caller(capsys, postgres=pg_database)


def started(project: Path, *options: str) -> subprocess.Popen[str]:
    """`dbtrust migrate up` in a process of its own."""
    argv = [sys.executable, "-m", "dbtrust", "migrate", "up", str(project), "-q", *options]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=SECONDS)
    return process.returncode, said


def backends(pg: psycopg.Connection[Any], query: str) -> int:
    """How many other sessions of the database are in a statement like that."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND state = 'active' AND query ILIKE %s"
    )
    row = pg.execute(asked, [f"%{query}%"]).fetchone()
    return row[0] if row else 0


@contextmanager
def held(url: str, statement: str) -> Iterator[None]:
    """A transaction of somebody else that stays open."""
    with psycopg.connect(url) as other:
        other.execute(statement.encode())
        yield
        other.rollback()


def rows(pg: psycopg.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return pg.execute(query.encode()).fetchall()


def killed_behind_a_lock(project: Path, pg: psycopg.Connection[Any], url: str, lock: str, query: str) -> None:
    """Starts `up`, waits until it stands in `query` behind a lock, and kills it there; the lock goes afterwards."""
    with held(url, lock):
        runner = started(project, "--postgres", url)
        assert await_true(lambda: backends(pg, query) > 0, SECONDS)
        runner.kill()
        runner.communicate()


def test_no_dirty_version_after_a_crash(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any], pg_database: str
) -> None:
    """Elsewhere: "Dirty database version 2. Fix and force version." """
    pg.execute("CREATE TABLE busy (n int)")
    steps = "CREATE TABLE made (n int);\nINSERT INTO made VALUES (1);\nINSERT INTO busy SELECT n FROM made;\n"
    project = write(
        tmp_path, {"0001_a.sql": f"{ALONE}{steps}CREATE INDEX CONCURRENTLY made_n ON made (n);\n"}
    )
    killed_behind_a_lock(project, pg, pg_database, "LOCK TABLE busy", "INSERT INTO busy")
    code, document = call("up", project)
    assert (code, told(document)) == (0, [("0001", "holds")])
    assert rows(pg, "SELECT n FROM made UNION ALL SELECT n FROM busy") == [(1,), (1,)]
    assert states(call("status", project)[1]) == [("0001", "applied")]


def test_concurrently_does_not_hang_behind_a_waiting_runner(
    tmp_path: Path, pg: psycopg.Connection[Any], pg_database: str
) -> None:
    """Elsewhere a waiter in pg_advisory_lock holds a snapshot, for which the build waits: a deadlock."""
    pg.execute("CREATE TABLE t (n int)")
    project = write(tmp_path, {"0001_a.sql": f"{ALONE}CREATE INDEX CONCURRENTLY t_n ON t (n);\n"})
    with held(pg_database, "INSERT INTO t VALUES (1)"):
        first = started(project, "--postgres", pg_database)
        assert await_true(lambda: backends(pg, "CONCURRENTLY") > 0, SECONDS)
        second = started(project, "--postgres", pg_database)
        waiting = (
            "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE datname = current_database()"
            + (" AND application_name LIKE 'dbtrust%'")
        )
        assert await_true(lambda: rows(pg, waiting) == [(2,)], SECONDS)
        assert backends(pg, "advisory") == 0
    assert [ended(first)[0], ended(second)[0]] == [0, 0]
    assert rows(pg, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass") == [(True,)]


def test_an_invalid_unique_index_is_never_applied(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    """Elsewhere IF NOT EXISTS finds the invalid index at the second try, says "applied", and duplicates get in."""
    pg.execute("CREATE TABLE t (n int)")
    pg.execute("INSERT INTO t VALUES (1), (1)")
    text = f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_n ON t (n);\n"
    project = write(tmp_path, {"0001_a.sql": text})
    for _ in range(2):
        code, document = call("up", project)
        assert (code, told(document)) == (1, [("0001", "refuted")])
        assert "t_n" in document["verdicts"][0]["message"]
    pg.execute("DELETE FROM t WHERE ctid = (SELECT max(ctid) FROM t)")
    assert call("up", project)[0] == 0
    assert rows(pg, "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_n'::regclass") == [(True,)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        pg.execute("INSERT INTO t VALUES (1)")


def test_a_failure_after_an_autocommit_statement_is_resumed(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    """Elsewhere the table stays without a row in the ledger, and the second try dies on "already exists"."""
    pg.execute("CREATE TABLE t (n int)")
    steps = "CREATE TABLE made (n int);\nCREATE INDEX CONCURRENTLY t_n ON t (n);\nINSERT INTO made VALUES (1);\nINSERT INTO later VALUES (1);\n"
    project = write(tmp_path, {"0001_a.sql": ALONE + steps})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert "later" in document["verdicts"][0]["message"]
    assert document["verdicts"][0]["location"]["line"] == 5
    pg.execute("CREATE TABLE later (n int)")
    assert call("up", project)[0] == 0
    assert rows(pg, "SELECT n FROM made UNION ALL SELECT n FROM later") == [(1,), (1,)]


SLEEPER = """
import time
from dbtrust.migrations import step


def sleep(db):
    db.made.insert_one({"_id": 1})
    time.sleep(600)


steps = [step("sleep", apply=sleep, probe=lambda db: db.made.find_one() is not None)]
"""


def test_no_stale_lock_after_kill_9(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mongo_url: str, mongo_db: Any
) -> None:
    """Elsewhere a row says "locked" for ever; there is no unlock here because none is needed."""
    url = mongo_url.replace("/?", f"/{mongo_db.name}?")
    project = write(tmp_path, {"0001_a.py": SLEEPER})
    runner = started(project, "--mongo", url)
    assert await_true(lambda: mongo_db.made.find_one() is not None or runner.poll() is not None, SECONDS)
    runner.kill()
    runner.communicate()
    code, document = caller(capsys, mongo=url)("up", project)
    assert (code, told(document)) == (0, [("0001", "holds")])


def test_a_lower_version_merged_late_is_no_silent_skip(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any]
) -> None:
    """Elsewhere a file with a lower number than the last one is never applied, and nothing says so."""
    project = write(tmp_path, {"0001_a.sql": "CREATE TABLE a ();\n", "0003_c.sql": "CREATE TABLE c ();\n"})
    assert call("up", project)[0] == 0
    write(tmp_path, {"0002_b.sql": "CREATE TABLE b ();\n"})
    code, document = call("up", project)
    assert (code, told(document)) == (1, [("0002", "refuted")])
    assert rows(pg, "SELECT to_regclass('b') IS NULL") == [(True,)]
    assert call("up", project, "--out-of-order")[0] == 0
    assert rows(pg, "SELECT to_regclass('b') IS NULL") == [(False,)]


def test_the_session_of_a_dead_client_does_not_work_on(
    call: Call, tmp_path: Path, pg: psycopg.Connection[Any], pg_database: str
) -> None:
    """Elsewhere the server goes on with a statement whose client died, beside the next runner's."""
    pg.execute("CREATE TABLE t (n int)")
    project = write(tmp_path, {"0001_a.sql": "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\n"})
    with held(pg_database, "LOCK TABLE t"):
        runner = started(project, "--postgres", pg_database)
        assert await_true(lambda: backends(pg, "INSERT INTO t") > 0, SECONDS)
        own = (
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'dbtrust%'"
            " AND datname = current_database()"
        )
        first = rows(pg, own)
        runner.kill()
        runner.communicate()
        second = started(project, "--postgres", pg_database)
        # The server ends the first session within two seconds, before or after the second one has come.
        assert await_true(lambda: bool(set(rows(pg, own)) - set(first)), SECONDS)
    assert ended(second)[0] == 0
    assert rows(pg, "SELECT n FROM t ORDER BY n") == [(1,), (2,)]
    assert states(call("status", project)[1]) == [("0001", "applied")]


def test_no_lock_race(
    tmp_path: Path, pg: psycopg.Connection[Any], pg_database: str, mongo_url: str, mongo_db: Any
) -> None:
    """Elsewhere find-then-insert locks let four runners apply a migration up to four times."""
    url = mongo_url.replace("/?", f"/{mongo_db.name}?")
    pg.execute("CREATE TABLE t (n int)")
    counting = "def up(db):\n    db.counted.update_one({'_id': 1}, {'$inc': {'n': 1}}, upsert=True)\n"
    files = {f"000{n}_a.sql": "INSERT INTO t VALUES (1);\n" for n in (1, 3, 5)}
    project = write(tmp_path, files | {f"000{n}_b.py": counting for n in (2, 4)})
    processes = [started(project, "--postgres", pg_database, "--mongo", url) for _ in range(4)]
    assert [ended(process)[0] for process in processes] == [0, 0, 0, 0]
    assert rows(pg, "SELECT count(*) FROM t") == [(3,)]
    assert mongo_db.counted.find_one({"_id": 1})["n"] == 2


INSIDE = """
def up(db):
    with db.client.start_session() as session, session.start_transaction():
        db.t.insert_one({"n": 1}, session=session)
        db.t.create_index("n", name="n"SESSION)
"""


@pytest.mark.parametrize(("session", "word"), [(", session=session", "DDL"), ("", "transaction")])
def test_index_ddl_in_a_mongo_transaction_is_refused_at_once(
    session: str, word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, mongo_url: str, mongo_db: Any
) -> None:
    """With the session it is error 263; without it elsewhere blocks for 60 s, keeps the index and loses the data."""
    url = mongo_url.replace("/?", f"/{mongo_db.name}?")
    mongo_db.t.insert_one({"n": 0})
    project = write(tmp_path, {"0001_a.py": INSIDE.replace("SESSION", session)})
    code, document = caller(capsys, mongo=url)("up", project)
    assert (code, told(document)) == (1, [("0001", "refuted")])
    assert word in document["verdicts"][0]["message"]
    assert [document["n"] for document in mongo_db.t.find()] == [0]
