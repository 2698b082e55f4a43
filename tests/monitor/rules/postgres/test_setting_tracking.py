"""setting.tracking: settings that hide what happens."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_reads_that_are_not_timed(ill: Seen) -> None:
    found = ill.one("setting.tracking", "setting:track_io_timing")
    assert found.evidence["setting"]


def test_is_silent_with_good_settings(well: Seen) -> None:
    assert well.of("setting.tracking") == []
