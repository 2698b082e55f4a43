"""table.bloat: bloated tables."""

from __future__ import annotations

import psycopg
from tests.monitor.conftest import Seen

from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.model.snapshot import ReadOptions
from dbtrust.monitor.judging import judge
from dbtrust.monitor.registry import rules


def test_finds_a_table_that_is_mostly_empty(ill: Seen) -> None:
    found = ill.one("table.bloat", "table:bloated")
    assert found.evidence["method"] == "pgstattuple_approx"
    assert found.evidence["free_bytes"] > 3 * 2**20


def test_is_silent_about_room_that_fillfactor_keeps(well: Seen) -> None:
    assert well.of("table.bloat") == []


def test_a_locked_table_leaves_the_others_measured(pg_database: str) -> None:
    with psycopg.connect(pg_database, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pgstattuple")
        for name in ("empty", "locked"):
            connection.execute(f"CREATE TABLE {name} (v text) WITH (autovacuum_enabled = off)".encode())
            connection.execute(
                f"INSERT INTO {name} SELECT repeat('x', 500) FROM generate_series(1, 20000)".encode()
            )
            connection.execute(f"DELETE FROM {name} WHERE v > ''; ANALYZE {name}".encode())
    with psycopg.connect(pg_database) as other:
        other.execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        found = read_snapshot(pg_database, ReadOptions())
    assert Seen(found).subjects("table.bloat") == {"table:empty"}
    _, unseen = judge(rules("postgres"), found, None)
    (item,) = [i for i in unseen if "locked" in i.what]
    assert item.what == "free space in tables, measured: public.locked (table.bloat)"
    assert "lock" in item.needs


def test_a_table_that_was_never_analyzed_is_measured_as_well(pg_database: str) -> None:
    with psycopg.connect(pg_database, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pgstattuple")
        connection.execute("CREATE TABLE uncounted (v text) WITH (autovacuum_enabled = off)")
        connection.execute("INSERT INTO uncounted SELECT repeat('x', 500) FROM generate_series(1, 20000)")
        connection.execute("DELETE FROM uncounted")
        connection.execute("SELECT pg_stat_force_next_flush()")
    seen = Seen(read_snapshot(pg_database, ReadOptions()))
    assert [row["bytes"] for row in seen.snapshot.sections["tables"]] == [0]
    assert seen.subjects("table.bloat") == {"table:uncounted"}
