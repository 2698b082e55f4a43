"""database.rollbacks: many rollbacks."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_transactions_thrown_away(ill: Seen) -> None:
    found = ill.one("database.rollbacks", "database:postgres")
    assert found.evidence["rollbacks"] >= 1000


def test_is_silent_without_rollbacks(well: Seen) -> None:
    assert well.of("database.rollbacks") == []
