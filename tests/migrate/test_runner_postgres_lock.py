"""One runner at a time, however the others behave, and nobody queues behind a migration for long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.migrate.histories import ALONE, apply, entries, migration, runner

from dbtrust.engine.postgres.connect import with_database
from dbtrust.engine.postgres.exclusive import Exclusive
from dbtrust.migrate import runner_postgres
from dbtrust.migrate.runner_postgres import PostgresRunner
from dbtrust.model.errors import ServerError
from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.progress import silent

Connection = psycopg.Connection[Any]
FORKS = Path(__file__).parent / "forks.py"


def forks(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(FORKS), *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_runners_that_race_apply_once_and_wait_for_a_concurrent_build(pg_database: str) -> None:
    """Seven poll for the lock while one builds indexes CONCURRENTLY, which waits for every snapshot."""
    raced = forks("race", pg_database, "8")
    assert raced["codes"] == [0] * 8
    assert json.loads(raced["state"])[:2] == [102282, 52]


def test_a_runner_that_was_stopped_past_its_lease_loses_by_its_token(pg_database: str) -> None:
    stopped = forks("stopped", pg_database)
    assert stopped["codes"] == [0, 1]
    assert json.loads(stopped["state"])[:2] == [102282, 52]


def test_a_kill_behind_any_message_is_finished_by_the_next_run(postgres_url: str) -> None:
    """Each third message; all of them: python tests/migrate/forks.py kills URL."""
    killed = forks("kills", with_database(postgres_url, "postgres"), "3")
    assert killed["points"] > 8
    assert killed["wrong"] == []


def test_the_holder_is_named_to_who_does_not_wait(pg_database: str) -> None:
    one = runner(pg_database)
    with one.locked(silent):
        told: list[str] = []
        with pytest.raises(
            MigrationStopped, match=r"dbtrust migrate \w+ \(server process \d+\), since \d{4}-"
        ):
            apply(pg_database, [], told.append, lock_wait=0.1)
        assert told[0].startswith("waiting for another runner: dbtrust migrate")
    one.close()
    apply(pg_database, [], lock_wait=0.0)


@pytest.mark.parametrize(("holds", "waits"), [("lease", "lock"), ("lock", "lease"), ("lease", "lease")])
def test_a_lease_and_a_lock_keep_each_other_out(pg_database: str, holds: str, waits: str) -> None:
    one = runner(pg_database, mode=holds)
    with one.locked(silent), pytest.raises(MigrationStopped, match="another runner holds the lock"):
        apply(pg_database, [], mode=waits, lock_wait=0.2)
    one.close()
    apply(pg_database, [], mode=waits, lock_wait=0.0)


def test_a_server_lost_before_the_kind_of_lock_is_known_is_told_as_lost(
    pg_database: str, pg: Connection
) -> None:
    class Cut(PostgresRunner):
        """Its session ends behind its settings."""

        def _prepare(self) -> None:
            super()._prepare()
            pg.execute("SELECT pg_terminate_backend(%s, 5000)", [self._connection.info.backend_pid])

    cut = Cut(pg_database, root=Path(), lock_wait=0.0)
    with pytest.raises(ServerError, match="the server was lost"), cut.locked(silent):
        raise AssertionError("it got the lock")
    cut.close()


def test_a_runner_whose_lock_session_ended_writes_nothing(pg_database: str, pg: Connection) -> None:
    one = runner(pg_database)
    with one.locked(silent):
        one.up(migration(1, "CREATE TABLE a (x int)"), None, silent)
        pg.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with pytest.raises(ServerError, match="server was lost"):
            one.up(migration(2, "CREATE TABLE b (x int)"), None, silent)
    one.close()
    assert list(entries(pg_database)) == [1]
    assert pg.execute("SELECT to_regclass('b')").fetchone() == (None,)


@pytest.mark.parametrize("which", ["pid <> pg_backend_pid()", "true"])
def test_a_server_that_ends_the_sessions_was_lost(which: str, pg_database: str, pg: Connection) -> None:
    """The lock's session alone, and all of them, from inside a file that is no transaction."""
    ends = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND"
    )
    mine = pg.execute("SELECT pg_backend_pid()").fetchone()
    assert mine is not None
    one = migration(
        1, f"{ALONE}CREATE TABLE a (x int);\n{ends} pid <> {mine[0]} AND {which};\nCREATE TABLE b (x int);"
    )
    with pytest.raises(ServerError, match="the server was lost"):
        apply(pg_database, [one])
    assert entries(pg_database)[1].state == "running"
    assert pg.execute("SELECT to_regclass('b')").fetchone() == (None,)


def test_a_killed_runner_leaves_no_lock_and_its_statement_is_waited_for(
    pg_database: str, pg: Connection
) -> None:
    """A stale lock after kill -9, and a dead client whose statement the server still runs."""
    pg.execute("CREATE TABLE t (a int)")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom histories import *\n"
        f"apply(sys.argv[2], [migration(1, {ALONE + 'CREATE INDEX CONCURRENTLY t_a ON t (a);'!r})],"
        " lambda m: print(m, flush=True))"
    )
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(FORKS.parent), pg_database], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        told: list[str] = []
        again = threading.Thread(
            target=apply,
            args=(
                pg_database,
                [migration(1, f"{ALONE}CREATE INDEX CONCURRENTLY t_a ON t (a);")],
                told.append,
            ),
        )
        again.start()
        while not told:
            again.join(0.05)
        other.rollback()
        again.join()
    assert entries(pg_database)[1].state == "done"
    assert pg.execute("SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass").fetchall() == [
        (True,)
    ]


BLOCKED = "-- migrate:up lock_timeout:200ms{}\nALTER TABLE t ADD b int;"


def test_old_snapshots_are_told_before_a_concurrent_build_waits_for_them(
    pg_database: str, pg: Connection
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    told: list[str] = []
    with psycopg.connect(pg_database, application_name="a long report") as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT 1, pg_sleep(1.1)")

        def hear(line: str) -> None:
            told.append(line)
            if "waits for" in line:
                other.rollback()

        apply(pg_database, [migration(1, f"{ALONE}CREATE INDEX CONCURRENTLY t_a ON t (a);")], hear)
    assert [
        line for line in told if "will wait for old snapshots of process" in line and "a long report" in line
    ]
    assert any("waits for process" in line for line in told)


def test_what_an_earlier_run_left_working_is_ended_after_a_while(
    pg_database: str, pg: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead client whose server does not notice: its statement still runs under the name of the last holder."""
    monkeypatch.setattr(runner_postgres, "_GRACE_SECONDS", 0.3)
    apply(pg_database, [migration(1, "CREATE TABLE t (a int)")])
    pg.execute(
        'UPDATE dbtrust_migration SET stored = stored || \'{"holder": "dbtrust migrate dead"}\' WHERE number = -1'
    )
    ended: list[psycopg.Error] = []

    def work() -> None:
        with psycopg.connect(pg_database, application_name="dbtrust migrate dead") as left:
            try:
                left.execute("SELECT pg_sleep(600)")
            except psycopg.Error as error:
                ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    waiting = "SELECT FROM pg_stat_activity WHERE application_name LIKE '%dead' AND state = 'active'"
    while pg.execute(waiting).fetchone() is None:
        thread.join(0.01)
    told: list[str] = []
    apply(pg_database, [migration(1, "CREATE TABLE t (a int)"), migration(2, "DROP TABLE t")], told.append)
    thread.join()
    assert [type(error) for error in ended] == [psycopg.errors.AdminShutdown]
    assert any("an earlier run was killed; its statement still runs" in line for line in told)


def test_a_lock_that_is_not_to_be_had_names_who_holds_it(pg_database: str, pg: Connection) -> None:
    pg.execute("CREATE TABLE t (a int)")
    with psycopg.connect(pg_database, application_name="the report") as other:
        other.execute("SELECT count(*) FROM t")
        pid = other.info.backend_pid
        with pytest.raises(MigrationStopped) as caught:
            apply(pg_database, [migration(1, BLOCKED.replace("200ms", "600ms").format(" retry:0"))])
    said = str(caught.value)
    assert said.startswith("0001_m.sql:2:1: 55P03")
    assert f"t is held by process {pid} (the report, idle in transaction since" in said
    assert "nothing of it is left" in said


def test_a_lock_is_tried_again_once_its_holder_is_through_and_nobody_queues_meanwhile(
    pg_database: str, pg: Connection
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    pg.execute("SET lock_timeout = '100ms'")
    said: list[str] = []
    with psycopg.connect(pg_database) as other:
        other.execute("SELECT count(*) FROM t")

        def told(message: str, /) -> None:
            said.append(message)
            if "does not queue behind" in message:
                pg.execute("SELECT count(*) FROM t")
                if len(said) > 3:
                    other.rollback()

        apply(pg_database, [migration(1, BLOCKED.replace("200ms", "600ms").format(""))], told)
    assert any("waits for process" in line for line in said)
    assert entries(pg_database)[1].state == "done"


@pytest.mark.parametrize(
    "text",
    ["ALTER TABLE t ADD b int", f"{ALONE}DROP TABLE t", f"{ALONE}CREATE INDEX t_a ON t (a)", "CREATE TABLE c (a int REFERENCES t)"],
)  # fmt: skip
def test_the_first_attempt_does_not_queue_behind_an_old_transaction_either(
    pg_database: str, pg: Connection, text: str
) -> None:
    pg.execute("CREATE TABLE t (a int PRIMARY KEY)")
    pg.execute("SET lock_timeout = '100ms'")
    said: list[str] = []
    with psycopg.connect(pg_database, application_name="the import") as other:
        other.execute("INSERT INTO t VALUES (1)")
        other.execute("SELECT pg_sleep(1.1)")

        def told(message: str, /) -> None:
            said.append(message)
            if "does not queue behind" in message:
                pg.execute("SELECT count(*) FROM t")
                other.rollback()

        apply(pg_database, [migration(1, text)], told)
    assert len([line for line in said if "does not queue behind" in line and "the import" in line]) == 1
    assert not any("waits for" in line or "more attempts" in line for line in said)
    assert entries(pg_database)[1].state == "done"


@pytest.mark.parametrize("text", ["ALTER TABLE u ADD b int", "INSERT INTO t VALUES (1)", "CREATE TABLE c (a int REFERENCES t)"])  # fmt: skip
def test_an_old_reader_that_is_in_nobody_s_way_is_not_waited_for(
    pg_database: str, pg: Connection, text: str
) -> None:
    pg.execute("CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE u (a int)")
    said: list[str] = []
    with psycopg.connect(pg_database) as other:
        other.execute("SELECT count(*), pg_sleep(1.1) FROM t")
        apply(pg_database, [migration(1, text)], said.append)
    assert not any("queue" in line for line in said) and entries(pg_database)[1].state == "done"


def test_a_free_way_is_asked_for_once_and_not_for_every_migration(
    pg_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    ask = Exclusive.ask

    def counted(self: Exclusive, text: bytes) -> list[tuple[Any, ...]]:
        asked.append(text)
        return ask(self, text)

    monkeypatch.setattr(Exclusive, "ask", counted)
    apply(pg_database, [migration(n, f"CREATE TABLE t{n} (a int)") for n in range(1, 61)])
    questions = [
        text for text in asked if b"Old transactions that hold locks" in text or b"pg_stat_activity b" in text
    ]
    assert 1 <= len(questions) < 20


@pytest.mark.parametrize(
    "text", ["SELECT pg_sleep(60)", f"{ALONE}SELECT 1;\nCREATE INDEX CONCURRENTLY t_a ON t (a)"]
)
def test_an_interrupted_statement_is_cancelled_and_can_go_on(
    pg_database: str, pg: Connection, text: str
) -> None:
    pg.execute("CREATE TABLE t (a int)")
    one = runner(pg_database)
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE")
        timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
        with one.locked(silent):
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                one.up(migration(1, text), None, silent)
            active = pg.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'dbtrust migrate%'"
                " AND state <> 'idle' AND datname = current_database()"
            ).fetchone()
            assert active == (0,)
    one.close()
    apply(pg_database, [migration(1, text.replace("60", "0"))])
    assert entries(pg_database)[1].state == "done"
