"""session.idle_in_transaction: idle in transaction."""

from __future__ import annotations

from tests.monitor.conftest import Seen
from tests.monitor.faults import Ill


def test_finds_a_transaction_that_was_left_open(ill: Seen, sick_server: Ill) -> None:
    later = ill.later("activity", "state_ms", "xact_ms", ms=90_000)
    found = later.one("session.idle_in_transaction", f"session:{sick_server.holder}")
    assert found.severity == "warning" and found.evidence["writes"]


def test_is_silent_about_one_that_was_opened_now(ill: Seen, well: Seen) -> None:
    assert ill.of("session.idle_in_transaction") == []
    assert well.of("session.idle_in_transaction") == []
