"""statement.planning: expensive planning."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_join_whose_plan_takes_longer(ill: Seen) -> None:
    queries = [f.evidence["query"] for f in ill.of("statement.planning")]
    assert any("JOIN twins" in query for query in queries), queries


def test_is_silent_about_simple_statements(well: Seen) -> None:
    assert well.of("statement.planning") == []
