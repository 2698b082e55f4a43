"""statement.rows: statements with very many rows."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_statement_with_thousands_of_rows(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.rows")]
    assert any("INTO sink" in query for query in queries), queries


def test_is_silent_about_counts(well: Seen) -> None:
    assert well.of("statement.rows") == []
