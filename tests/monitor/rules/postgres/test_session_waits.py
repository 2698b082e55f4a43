"""session.waits: sessions that wait for the same event."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_sessions_that_wait_for_the_same_event(ill: Seen) -> None:
    found = ill.one("session.waits", "wait:Timeout:PgSleep")
    assert len(found.evidence["sessions"]) == 5


def test_is_silent_about_idle_sessions(well: Seen) -> None:
    assert well.of("session.waits") == []
