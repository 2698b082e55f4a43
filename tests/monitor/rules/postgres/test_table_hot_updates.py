"""table.hot_updates: few HOT updates."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_updates_that_wrote_every_index(ill: Seen) -> None:
    found = ill.one("table.hot_updates", "table:hot")
    assert found.evidence["hot_updates"] < 3000


def test_is_silent_about_updates_with_room_on_the_page(well: Seen) -> None:
    assert well.of("table.hot_updates") == []
