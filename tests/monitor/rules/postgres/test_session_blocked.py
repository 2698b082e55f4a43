"""session.blocked: blocking chains."""

from __future__ import annotations

from tests.monitor.conftest import Seen
from tests.monitor.faults import Ill


def test_finds_the_holder_of_a_lock_and_all_behind_it(ill: Seen, sick_server: Ill) -> None:
    found = ill.one("session.blocked", f"session:{sick_server.holder}")
    assert "(billing)" in found.message and "blocks 2 sessions" in found.message
    assert found.evidence["on"] == ["transactionid"]


def test_is_silent_where_nobody_waits(well: Seen) -> None:
    assert well.of("session.blocked") == []
