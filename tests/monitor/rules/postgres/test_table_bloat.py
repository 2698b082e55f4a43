"""table.bloat: bloated tables."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_that_is_mostly_empty(ill: Seen) -> None:
    found = ill.one("table.bloat", "table:bloated")
    assert found.evidence["method"] == "pgstattuple_approx"
    assert found.evidence["free_bytes"] > 3 * 2**20


def test_is_silent_about_room_that_fillfactor_keeps(well: Seen) -> None:
    assert well.of("table.bloat") == []
