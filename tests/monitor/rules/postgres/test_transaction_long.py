"""transaction.long: long transactions."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_statement_that_runs_for_long(ill: Seen) -> None:
    later = ill.later("activity", "xact_ms", "query_ms", ms=3_600_000)
    assert any("(sleeper)" in found.message for found in later.of("transaction.long"))


def test_is_silent_about_one_that_began_now(ill: Seen, well: Seen) -> None:
    assert ill.of("transaction.long") == []
    assert well.of("transaction.long") == []
