"""setting.durability: settings that lose data."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_fsync_switched_off(ill: Seen) -> None:
    found = ill.one("setting.durability", "setting:fsync")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.durability") == []
