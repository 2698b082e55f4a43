"""database.cache_hit: low cache hit ratio."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_reads_that_bypass_shared_buffers(ill: Seen) -> None:
    found = ill.one("database.cache_hit", "database:postgres")
    assert found.evidence["hit_ratio"] < 0.9
    assert found.evidence["blocks_per_second"] > 0
    assert found.evidence["read_ms"] == "track_io_timing is off"


def test_is_silent_without_enough_reads_to_tell(well: Seen) -> None:
    assert well.of("database.cache_hit") == []
