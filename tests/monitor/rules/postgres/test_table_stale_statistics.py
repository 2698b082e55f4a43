"""table.stale_statistics: old planner statistics."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_rows_that_changed_since(ill: Seen) -> None:
    found = ill.one("table.stale_statistics", "table:hot")
    assert found.evidence["modified"] >= 6000


def test_is_silent_about_a_few_changed_rows(well: Seen) -> None:
    assert well.of("table.stale_statistics") == []
