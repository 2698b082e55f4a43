"""statement.slow: slow statements."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen

from dbtrust.model.report import Finding


def with_statement(seen: Seen, query: str, calls: int, mean: float) -> list[Finding]:
    """What is found where one more statement takes 43% of the time of all."""
    rows = seen.snapshot.sections["statements"]
    rest = calls * mean / 0.43 * 0.57
    new = {**rows[0], "queryid": "1", "calls": calls, "total_exec_time": calls * mean}
    others = (
        {**rows[0], "queryid": str(n), "calls": 1000, "total_exec_time": rest / 20} for n in range(2, 22)
    )
    own = [rows[0]["userid"]] if query.startswith("/* dbtrust") else None
    texts = ({"queryid": "1", "query": query, "length": len(query), "own_of": own},)
    sections = {**seen.snapshot.sections, "statements": (new, *others), "statement_texts": texts}
    return Seen(replace(seen.snapshot, sections=sections)).of("statement.slow")


def test_finds_a_statement_that_takes_a_good_part_of_the_time(well: Seen) -> None:
    (found,) = with_statement(well, "SELECT count(*) FROM orders WHERE state = $1", 30, 87.0)
    assert found.severity == "warning" and "takes 43%" in found.message


def test_is_silent_about_what_is_done_once_utilities_and_our_own(well: Seen) -> None:
    assert (
        with_statement(well, "INSERT INTO orders SELECT g FROM generate_series($1, $2) AS g", 1, 9_000.0)
        == []
    )
    for text in ("ANALYZE orders", "CREATE INDEX ON orders (state)", "/* dbtrust monitor */ SELECT 1"):
        assert with_statement(well, text, 30, 87.0) == []
    assert with_statement(well, "SELECT 1", 30, 5.0) == []


def test_is_silent_about_fast_ones(well: Seen) -> None:
    assert well.of("statement.slow") == []
