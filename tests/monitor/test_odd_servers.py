"""Servers that do not show all: no extension, few rights, odd names, a standby, one that stops half way."""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from tests.monitor.conftest import Seen

from dbtrust.engine.postgres import patience
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.engine.postgres.monitor_questions import QUESTIONS
from dbtrust.engine.postgres.server import start_postgres
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import await_true
from dbtrust.model.report import Report
from dbtrust.model.snapshot import ReadOptions
from dbtrust.monitor.flow import Options, diagnose, snapshot
from dbtrust.monitor.judging import judge
from dbtrust.monitor.registry import rules
from dbtrust.report.text import render_text

_ODD = 'odd"; DROP \x1b[31m--\n<b>'


def _needs(report: Report) -> dict[str, str]:
    return {item.what: item.needs for item in report.not_examined}


@pytest.fixture
def roles(pg: psycopg.Connection[Any]) -> Iterator[tuple[str, str]]:
    """A role without any right and one in pg_monitor."""
    names = (f"r_{uuid.uuid4().hex[:10]}", f"m_{uuid.uuid4().hex[:10]}")
    for name in names:
        pg.execute(f"CREATE ROLE {name} LOGIN")
    pg.execute(f"GRANT pg_monitor TO {names[1]}")
    yield names
    for name in names:
        pg.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_role_without_rights_is_told_what_it_lacks(
    counting: psycopg.Connection[Any], pg_database: str, roles: tuple[str, str]
) -> None:
    counting.execute("CREATE EXTENSION pgstattuple")
    counting.execute("CREATE TABLE t (id serial PRIMARY KEY, v int)")
    counting.execute("INSERT INTO t (v) SELECT g FROM generate_series(1, 100000) AS g")
    counting.execute("CREATE INDEX ON t (v); ANALYZE t")
    nobody, monitor = (psycopg.conninfo.make_conninfo(pg_database, user=role) for role in roles)
    told = _needs(diagnose(Options(postgres=nobody)))
    assert told["sessions and statements of other roles"] == "membership in pg_monitor"
    assert "pg_stat_scan_tables or pg_monitor" in next(
        n for w, n in told.items() if "free space in tables, measured (table.bloat)" in w
    )
    assert "pg_read_all_data" in told["the last values of 1 sequences (sequence.near_end)"]
    assert any("1 tables by estimate (table.bloat_estimate)" in what for what in told)
    assert len(set(told.values())) == len(told)
    told = _needs(diagnose(Options(postgres=monitor)))
    assert not any("pg_monitor" in needs for needs in told.values())
    # pg_monitor sees no row of pg_stats and no last value.
    assert any("index.null_heavy" in what for what in told) and any(
        "sequence.near_end" in what for what in told
    )


def test_without_pg_stat_statements(pg_database: str) -> None:
    report = diagnose(Options(postgres=pg_database))
    (what,) = [w for w, needs in _needs(report).items() if "CREATE EXTENSION pg_stat_statements" in needs]
    assert what.startswith("statements and their counters (statement.io, ")
    assert "since when statements are counted (statement.evicted)" in what
    assert not report.errors and report.monitor


def test_without_track_activities(pg: psycopg.Connection[Any], pg_database: str) -> None:
    name = pg.info.dbname
    pg.execute(f"ALTER DATABASE {name} SET track_activities = off")
    report = diagnose(Options(postgres=pg_database))
    assert _needs(report)["what sessions do"] == "track_activities = on"
    assert "setting:track_activities" in {f.subject for f in report.findings}


def test_odd_names_are_shown_and_do_no_harm(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_ODD)))
        url = psycopg.conninfo.make_conninfo(postgres_url, dbname=_ODD, application_name="dbtrust' OR 1 = 1")
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                name = sql.Identifier(_ODD)
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
                connection.execute(sql.SQL("CREATE EXTENSION pg_stat_statements SCHEMA {}").format(name))
                connection.execute(sql.SQL("CREATE TABLE {}.{} ({} json)").format(name, name, name))
                connection.execute(
                    "CREATE FUNCTION public.now() RETURNS text AS 'SELECT 1/0; SELECT $$x$$' LANGUAGE sql"
                )
                report = diagnose(Options(postgres=url))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_ODD)))
    assert f"table:{_ODD}.{_ODD}" in {f.subject for f in report.findings}
    assert not any("statements" in what for what in _needs(report)) and not report.errors
    text = render_text(report)
    assert "\x1b" not in text and "\\x1b[31m" in text
    fixes = [f.fix for f in report.findings if f.rule == "table.no_primary_key"]
    assert fixes and '"odd""; DROP' in fixes[0]


def test_a_server_that_stops_half_way(server_run: Run) -> None:
    server = start_postgres(server_run, find_postgres("17"))

    def stop(message: str) -> None:
        if message == "reading indexes of PostgreSQL":
            server.halt()

    taken = snapshot(Options(postgres=server.admin_url(), reading=ReadOptions(progress=stop)))
    server.stop()
    (found,) = taken.snapshots
    assert "tables" in found.sections and "indexes" not in found.sections
    left = {item.what for item in found.not_examined}
    assert {"indexes", "locks", "catalog"} <= left
    (problem,) = taken.problems
    assert problem.code == 3 and "went away while it was read" in problem.message
    findings, unseen = judge(rules("postgres"), found, None)
    assert any(f.rule == "setting.durability" for f in findings)
    assert len(unseen) == len({item.needs for item in unseen})


def _backend(pg: psycopg.Connection[Any]) -> int:
    row = pg.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'dbtrust' AND datname = current_database()"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_backend_that_was_stopped_is_not_waited_for(
    pg: psycopg.Connection[Any], pg_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "GRACE", 0.5)
    stopped: list[int] = []

    def stop(message: str) -> None:
        if message == "reading indexes of PostgreSQL":
            stopped.append(_backend(pg))
            os.kill(stopped[0], signal.SIGSTOP)

    try:
        reading = ReadOptions(progress=stop, timeout_ms=500)
        taken = snapshot(Options(postgres=pg_database, reading=reading))
    finally:
        os.kill(stopped[0], signal.SIGCONT)
    (found,), (problem,) = taken.snapshots, taken.problems
    assert "tables" in found.sections and "indexes" not in found.sections
    assert problem.code == 3 and "no answer in 1 s" in problem.message
    assert {"indexes", "locks", "catalog"} <= {item.what for item in found.not_examined}


def test_a_session_that_is_ended_is_told_in_our_words(
    pg: psycopg.Connection[Any], pg_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    def end(message: str) -> None:
        if message == "reading indexes of PostgreSQL":
            pg.execute("SELECT pg_terminate_backend(%s, 5000)", [_backend(pg)])

    taken = snapshot(Options(postgres=pg_database, reading=ReadOptions(progress=end)))
    assert "57P01" in taken.problems[0].message and not caplog.records
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE")
        ending = threading.Thread(target=_end_when_it_waits, args=(pg,))
        ending.start()
        taken = snapshot(Options(postgres=pg_database))
        ending.join()
    assert "57P01" in taken.problems[0].message and not caplog.records


def _end_when_it_waits(pg: psycopg.Connection[Any]) -> None:
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'dbtrust' AND datname = current_database()"
    assert await_true(lambda: pg.execute(waits).fetchone() == (True,), 30)
    pg.execute("SELECT pg_terminate_backend(%s)", [_backend(pg)])


def test_a_standby_says_whose_counters_are_missing(lagging: tuple[Seen, Seen]) -> None:
    primary, replica = (seen.snapshot for seen in lagging)
    assert replica.server["standby"] and not primary.server["standby"]
    assert "of the primary" in replica.not_examined[-1].what
    assert "index.unused" in primary.not_examined[-1].what
    assert set(replica.sections) >= {q.name for q in QUESTIONS}


def test_a_slow_server_is_given_up_question_by_question(
    pg: psycopg.Connection[Any], pg_database: str
) -> None:
    pg.execute("BEGIN")
    pg.execute("LOCK TABLE pg_policy IN ACCESS EXCLUSIVE MODE")
    found = read_snapshot(pg_database, ReadOptions(timeout_ms=200))
    pg.execute("ROLLBACK")
    (left,) = [item for item in found.not_examined if item.what == "tables"]
    assert "lock timeout" in left.needs or "200 ms" in left.needs
    assert "indexes" in found.sections


def test_nothing_is_flagged_on_a_healthy_server(well: Seen) -> None:
    assert judge(rules("postgres"), well.snapshot, None) == ([], [])


def test_everything_that_is_sent_is_bounded_read_only_and_named(
    pg: psycopg.Connection[Any], pg_database: str
) -> None:
    """As the server's own statistics of sessions tell, looked at from inside."""
    from dbtrust.engine.postgres import monitor

    asked: list[tuple[str, ...]] = []
    reader = monitor._Reader(psycopg.connect(pg_database, autocommit=True), ReadOptions(timeout_ms=5000))  # pyright: ignore[reportPrivateUsage]
    reader.server()
    with reader._transaction() as cursor:  # pyright: ignore[reportPrivateUsage]
        names = ("application_name", "statement_timeout", "lock_timeout", "transaction_read_only")
        asked = [
            tuple(r.values())
            for r in cursor.execute("SELECT current_setting(n) FROM unnest(%s::text[]) AS n", [list(names)])
        ]
    reader.connection.close()
    assert [a for (a,) in asked] == ["dbtrust", "5s", "2s", "on"]
