"""transaction.prepared: forgotten prepared transactions."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_transaction_that_was_forgotten(ill: Seen) -> None:
    found = ill.later("prepared", "age_ms", ms=90_000).one("transaction.prepared", "transaction:forgotten")
    assert found.evidence["database"] == "postgres"


def test_is_silent_about_one_that_was_prepared_now(ill: Seen, well: Seen) -> None:
    assert ill.of("transaction.prepared") == []
    assert well.of("transaction.prepared") == []
