"""setting.pending_restart: settings that wait for a restart."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_setting_that_waits_for_a_restart(ill: Seen) -> None:
    found = ill.one("setting.pending_restart", "setting:max_locks_per_transaction")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.pending_restart") == []
