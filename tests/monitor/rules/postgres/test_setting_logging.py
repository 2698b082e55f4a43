"""setting.logging: settings that leave the log empty."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_log_without_lock_waits(ill: Seen) -> None:
    found = ill.one("setting.logging", "setting:log_lock_waits")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.logging") == []


def test_a_switch_is_told_which_way_to_go(ill: Seen) -> None:
    fix = ill.one("setting.logging", "setting:log_lock_waits").fix
    assert fix == "ALTER SYSTEM SET log_lock_waits = on; SELECT pg_reload_conf();"
