"""table.newpage_updates: updates that need a new page."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_rows_that_moved(ill: Seen) -> None:
    found = ill.one("table.newpage_updates", "table:hot")
    assert found.evidence["newpage_updates"] > 3000


def test_is_silent_about_rows_that_stayed(well: Seen) -> None:
    assert well.of("table.newpage_updates") == []
