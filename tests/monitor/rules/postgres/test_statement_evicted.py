"""statement.evicted: statements are thrown out of the statistics."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_statements_that_were_thrown_out(ill: Seen) -> None:
    found = ill.one("statement.evicted", "setting:pg_stat_statements.max")
    assert found.evidence["dealloc"] > 0
    assert found.evidence["max"] == "100"


def test_is_silent_where_none_was(well: Seen) -> None:
    assert well.of("statement.evicted") == []
