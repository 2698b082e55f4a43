"""statement.io: statements that read much."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


def test_finds_a_statement_that_reads_a_table_each_time(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.io")]
    assert any("FROM big" in query for query in queries), queries


def test_is_silent_where_all_is_cached(well: Seen) -> None:
    assert well.of("statement.io") == []


def test_is_silent_about_statements_whose_text_is_hidden(ill: Seen) -> None:
    rows = tuple({**row, "queryid": None} for row in ill.snapshot.sections["statements"])
    assert (
        Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "statements": rows})).of("statement.io")
        == []
    )
