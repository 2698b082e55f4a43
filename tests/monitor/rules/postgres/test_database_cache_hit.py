"""database.cache_hit: low cache hit ratio."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


def test_finds_reads_that_bypass_shared_buffers(ill: Seen) -> None:
    found = ill.one("database.cache_hit", "database:postgres")
    assert found.evidence["hit_ratio"] < 0.9
    assert found.evidence["blocks_per_second"] > 0
    assert found.evidence["read_ms"] == "track_io_timing is off"


def test_is_silent_without_enough_reads_to_tell(well: Seen) -> None:
    assert well.of("database.cache_hit") == []


def test_is_silent_where_monitor_itself_made_the_reads(ill: Seen) -> None:
    row = {**ill.snapshot.sections["statements"][0], "queryid": "1", "shared_blks_read": 10**9}
    sections = {
        **ill.snapshot.sections,
        "statements": (*ill.snapshot.sections["statements"], row),
        "statement_texts": (
            {"queryid": "1", "query": "/* dbtrust monitor */ SELECT", "own_of": [row["userid"]]},
        ),
    }
    assert Seen(replace(ill.snapshot, sections=sections)).of("database.cache_hit") == []


def test_is_silent_where_measuring_may_have_made_the_reads(ill: Seen) -> None:
    sections = {n: r for n, r in ill.snapshot.sections.items() if n != "statements"}
    sections["table_bloat"] = ({"oid": 1, "bytes": 2**40},)
    assert Seen(replace(ill.snapshot, sections=sections)).of("database.cache_hit") == []
