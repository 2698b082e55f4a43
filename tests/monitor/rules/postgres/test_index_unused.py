"""index.unused: indexes that nothing reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from tests.monitor.conftest import Seen

from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.model.snapshot import ReadOptions

_DAY = 86_400


def test_finds_an_index_that_nothing_read(ill: Seen) -> None:
    found = ill.aged(2 * _DAY).one("index.unused", "index:scanned_w_id")
    assert found.severity == "info" and "too short" in found.message
    found = ill.aged(8 * _DAY).one("index.unused", "index:scanned_w_id")
    assert found.severity == "warning" and "in 8 days" in found.message
    assert found.evidence["index_age"] == "not known to the server"


def test_is_silent_about_unique_ones_and_those_of_foreign_keys(well: Seen) -> None:
    assert well.aged(8 * _DAY).of("index.unused") == []


def test_is_silent_below_a_day_and_where_no_reset_is_known_and_nothing_is_old(ill: Seen) -> None:
    assert ill.of("index.unused") == []
    rows = tuple({**row, "stats_reset": None} for row in ill.snapshot.sections["databases"])
    never = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "databases": rows}))
    assert never.of("index.unused") == []
    found = never.aged(8 * _DAY).one("index.unused", "index:scanned_w_id")
    assert "8 days at least" in found.message and "never reset" in found.evidence["counted_since"]


def test_a_partitioned_index_is_dropped_as_the_server_takes_it(
    pg: psycopg.Connection[Any], pg_database: str
) -> None:
    pg.execute(
        "CREATE TABLE pt (id int, v int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (0) TO (99999);"
        "INSERT INTO pt SELECT g, g FROM generate_series(1, 50000) AS g;"
        "CREATE INDEX pt_v ON pt (v); CREATE INDEX pt_v2 ON pt (v); CREATE INDEX half ON ONLY pt (id)"
    )
    for _ in range(120):
        pg.execute("SELECT count(*) FROM pt WHERE id = 5")
    pg.execute("SELECT pg_stat_reset_single_table_counters(1), pg_stat_force_next_flush()")
    seen = Seen(read_snapshot(pg_database, ReadOptions()))
    rows = tuple(
        {**row, "stats_reset": seen.snapshot.taken_at} for row in seen.snapshot.sections["databases"]
    )
    seen = Seen(replace(seen.snapshot, sections={**seen.snapshot.sections, "databases": rows}))
    found = [
        seen.aged(8 * _DAY).one("index.unused", "index:pt_v"),
        *seen.of("index.redundant"),
        seen.one("index.invalid", "index:half"),
    ]
    assert len(found) == 3
    for one in found:
        assert "DROP INDEX CONCURRENTLY" not in one.fix and "reads and writes of the table" in one.fix
        drop = one.fix[one.fix.index("DROP INDEX") :].partition(";")[0]
        with pg.transaction(force_rollback=True):
            pg.execute(drop.encode())
