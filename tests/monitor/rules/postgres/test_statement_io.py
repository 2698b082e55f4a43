"""statement.io: statements that read much."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_statement_that_reads_a_table_each_time(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.io")]
    assert any("FROM big" in query for query in queries), queries


def test_is_silent_where_all_is_cached(well: Seen) -> None:
    assert well.of("statement.io") == []
