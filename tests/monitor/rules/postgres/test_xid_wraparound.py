"""xid.wraparound: transaction ids near their end."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_transaction_ids_near_their_end(ill: Seen) -> None:
    found = ill.one("xid.wraparound", "database:postgres")
    assert found.severity == "error"
    assert found.evidence["oldest_tables"]


def test_is_silent_about_young_ids(well: Seen) -> None:
    assert well.of("xid.wraparound") == []
