"""setting.planner: planner methods switched off."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_planner_method_switched_off(ill: Seen) -> None:
    found = ill.one("setting.planner", "setting:enable_material")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.planner") == []
