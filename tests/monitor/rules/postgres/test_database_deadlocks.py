"""database.deadlocks: deadlocks."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_deadlock(ill: Seen) -> None:
    found = ill.one("database.deadlocks", "database:postgres")
    assert found.evidence["deadlocks"] == 1


def test_is_silent_about_locks_that_were_waited_for(well: Seen) -> None:
    assert well.of("database.deadlocks") == []
