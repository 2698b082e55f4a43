"""`monitor`'s own statements are left out, nobody else's are; what pg_stat_statements does not count is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.monitor_questions import MARK
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import statements
from dbtrust.monitor.flow import Options, diagnose, snapshot

#: What `monitor` itself asks, word for word.
_SAME = "SELECT dealloc, stats_reset FROM pg_stat_statements_info()"


@pytest.fixture
def role(counting: psycopg.Connection[Any]) -> Iterator[str]:
    """A role that does not monitor, in a database that counts statements."""
    name = f"app_{uuid.uuid4().hex[:10]}"
    counting.execute(f"CREATE ROLE {name} LOGIN".encode())
    yield name
    counting.execute(f"DROP ROLE {name}".encode())


def _read(url: str) -> Snapshot:
    (found,) = snapshot(Options(postgres=url)).snapshots
    return found


def _shown(found: Snapshot, userid: int) -> list[str]:
    """The statements that are judged of one role."""
    texts = {row["queryid"]: row["query"] for row in found.sections["statement_texts"]}
    return [texts.get(row["queryid"], "") for row in statements(found, None) if row["userid"] == userid]


def test_the_mark_hides_no_statement_of_another_role(
    pg: psycopg.Connection[Any], pg_database: str, role: str
) -> None:
    with psycopg.connect(pg_database, user=role, autocommit=True) as other:
        other.execute(f"{MARK} SELECT pg_sleep(0.02), 1, 2, 3, 4".encode())
        other.execute(_SAME.encode())
        own = other.execute("SELECT oid::bigint FROM pg_roles WHERE rolname = current_user").fetchone()
    assert own is not None
    _read(pg_database)
    shown = _shown(_read(pg_database), own[0])
    # No other test sends this one, so that the text that is kept is this role's.
    assert f"{MARK} SELECT pg_sleep($1), $2, $3, $4, $5" in shown
    assert _SAME in shown


def test_own_statements_are_no_ones_load(pg: psycopg.Connection[Any], pg_database: str, role: str) -> None:
    """Of a role that monitors, and of one that reads with few rights."""
    pg.execute(f"GRANT pg_monitor TO {role}".encode())
    for url in (pg_database, psycopg.conninfo.make_conninfo(pg_database, user=role)):
        _read(url)
    found = _read(pg_database)
    texts = {row["queryid"]: row["query"] for row in found.sections["statement_texts"]}
    marked = {id for id, text in texts.items() if text.startswith(MARK)}
    assert len(marked) > 20 and not marked & {row["queryid"] for row in statements(found, None)}
    pg.execute(f"REVOKE pg_monitor FROM {role}".encode())
    pg.execute("SELECT pg_stat_statements_reset()")
    weak = psycopg.conninfo.make_conninfo(pg_database, user=role)
    _read(weak)
    mine = _read(weak)
    assert not [q for q in _shown(mine, _oid(pg, role)) if q.startswith(MARK)]


def test_nothing_is_sent_without_the_mark(pg: psycopg.Connection[Any], pg_database: str, role: str) -> None:
    pg.execute(f"GRANT pg_monitor TO {role}".encode())
    url = psycopg.conninfo.make_conninfo(pg_database, user=role)
    _read(url)
    seen = pg.execute("SELECT DISTINCT query FROM pg_stat_statements WHERE userid = %s", [_oid(pg, role)])
    texts = [text for (text,) in seen]
    assert len(texts) > 20 and [text for text in texts if not text.startswith(MARK)] == []
    assert _shown(_read(url), _oid(pg, role)) == []


def _oid(pg: psycopg.Connection[Any], role: str) -> int:
    row = pg.execute("SELECT oid::bigint FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("setting", "value", "severity"),
    [("pg_stat_statements.track", "none", "warning"), ("compute_query_id", "off", "warning")],
)
def test_what_is_not_counted_is_told_once(
    pg: psycopg.Connection[Any], pg_database: str, setting: str, value: str, severity: str
) -> None:
    pg.execute("CREATE EXTENSION pg_stat_statements")
    pg.execute(f"ALTER DATABASE {pg.info.dbname} SET {setting} = '{value}'".encode())
    report = diagnose(Options(postgres=pg_database))
    found: list[Finding] = [f for f in report.findings if f.subject == f"setting:{setting}"]
    assert [(f.rule, f.severity) for f in found] == [("setting.tracking", severity)]
    assert "count" in found[0].message and f"RESET {setting}" in found[0].fix


def test_tables_say_what_their_counters_lack(pg: psycopg.Connection[Any], pg_database: str) -> None:
    name = pg.info.dbname
    pg.execute("CREATE EXTENSION pg_stat_statements")
    pg.execute(f"ALTER DATABASE {name} SET pg_stat_statements.track_utility = off".encode())
    pg.execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 20000) AS g")
    report = diagnose(Options(postgres=pg_database))
    (view,) = report.monitor
    listings = {item.name: item for item in view.listings}
    note = listings["statements"].note
    assert "what functions run is counted in the statement that calls them" in note
    assert "utility statements are not counted" in note
    # The tests' server takes no times: 0 would be untrue.
    assert "track_io_timing is off" in listings["statement_io"].note + listings["io"].note
    assert {row["read_time"] for row in listings["io"].rows} == {None}
