"""table.missing_index: sequential scans of large tables."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_that_is_scanned_again_and_again(ill: Seen) -> None:
    found = ill.one("table.missing_index", "table:scanned")
    assert found.evidence["seq_scan"] == 30
    assert found.evidence["idx_scan"] == 150


def test_is_silent_about_scans_of_a_tiny_table(well: Seen) -> None:
    assert well.of("table.missing_index") == []
