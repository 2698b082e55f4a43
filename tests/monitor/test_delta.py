"""Deltas: counted between two snapshots, and what resets, evictions and other servers do to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.model.errors import ConfigError
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot
from dbtrust.monitor.counters import STATEMENTS, TABLES, counted, period
from dbtrust.monitor.delta import Counted, subtract
from dbtrust.monitor.files import dump
from dbtrust.monitor.flow import Options, diagnose

_COUNTED = Counted("s", ("id",), ("calls", "rows"))


def test_rows_are_subtracted_by_key() -> None:
    rows = [
        {"id": 1, "calls": 9, "rows": 5},
        {"id": 2, "calls": 4, "rows": 4},
        {"id": 3, "calls": 1, "rows": None},
    ]
    before = [{"id": 1, "calls": 7, "rows": 5}, {"id": 2, "calls": 9, "rows": 1}]
    found = [(row["calls"], row["rows"]) for row in subtract(rows, before, _COUNTED)]
    # The second was reset: one counter is smaller, so all of its counters count since then.
    assert found == [(2, 0), (4, 4), (1, None)]


def _calls(now: Snapshot, earlier: Snapshot | None) -> int:
    texts = {t["queryid"]: t["query"] for t in now.sections["statement_texts"]}
    rows = [r for r in counted(now, earlier, STATEMENTS) if "probe" in texts.get(r["queryid"], "")]
    return sum(row["calls"] for row in rows)


def test_statements_between_two_snapshots(counting: psycopg.Connection[Any], pg_database: str) -> None:
    counting.execute("CREATE TABLE probe (id int PRIMARY KEY)")

    def ask(times: int) -> None:
        for _ in range(times):
            counting.execute("SELECT id FROM probe WHERE id = 1", prepare=False)

    ask(5)
    first = read_snapshot(pg_database, ReadOptions())
    ask(3)
    second = read_snapshot(pg_database, ReadOptions(earlier=first))
    # Nothing new, so its text comes from the first one.
    assert _calls(second, None) - _calls(second, first) == _calls(first, None)
    assert _calls(second, first) >= 3
    since = period(second, first, STATEMENTS)
    assert since.since == first.taken_at and since.seconds is not None
    counting.execute(
        "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)"
    )
    ask(2)
    third = read_snapshot(pg_database, ReadOptions(earlier=second))
    # The entry is a new one (stats_since), though it counted as much as before or less.
    assert _calls(third, second) == _calls(third, None) == 2


def test_a_reset_makes_the_period_shorter(pg: psycopg.Connection[Any], pg_database: str) -> None:
    pg.execute("CREATE TABLE probe (id int PRIMARY KEY)")
    first = read_snapshot(pg_database, ReadOptions())
    pg.execute("SELECT pg_stat_reset()")
    second = read_snapshot(pg_database, ReadOptions())
    found = period(second, first, TABLES)
    assert found.since is not None and found.since > first.taken_at
    grown: Row = {**first.sections["tables"][0], "seq_scan": 99}
    earlier = replace(first, sections={**first.sections, "tables": (grown,)})
    assert counted(second, earlier, TABLES) == second.sections["tables"]


@pytest.mark.parametrize(("server", "message"), [("9/other", "another server"), (None, "not older")])
def test_since_wants_an_older_snapshot_of_the_same_server(
    tmp_path: Path, server: str | None, message: str
) -> None:
    now = Snapshot(
        "postgres", "2026-01-02T00:00:00+00:00", {"identity": "1/db", "version": "17"}, {"locks": ()}
    )
    earlier = replace(now, server={**now.server, "identity": server or "1/db"})
    for name, snapshot in (("now", now), ("since", earlier)):
        (tmp_path / name).write_text(dump([snapshot]), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        diagnose(Options(saved=tmp_path / "now", since=tmp_path / "since"))
