"""statement.slow: slow statements."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_statement_that_takes_long(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.slow")]
    assert any("pg_sleep" in query for query in queries), queries


def test_is_silent_about_fast_ones(well: Seen) -> None:
    assert well.of("statement.slow") == []
