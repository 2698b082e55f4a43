"""statement.temp_files: statements that write temporary files."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_statement_that_spills(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.temp_files")]
    assert any("MATERIALIZED" in query for query in queries), queries


def test_is_silent_about_what_fits(well: Seen) -> None:
    assert well.of("statement.temp_files") == []
