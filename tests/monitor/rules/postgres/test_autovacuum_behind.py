"""autovacuum.behind: autovacuum is behind."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_full_of_dead_rows(ill: Seen) -> None:
    found = ill.one("autovacuum.behind", "table:hot")
    assert found.evidence["dead"] == 6000
    assert found.evidence["threshold"] == 1250


def test_is_silent_about_dead_rows_below_the_threshold_of_the_table(well: Seen) -> None:
    assert well.of("autovacuum.behind") == []
