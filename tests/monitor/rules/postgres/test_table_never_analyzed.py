"""table.never_analyzed: tables never analyzed."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_without_statistics(ill: Seen) -> None:
    found = ill.one("table.never_analyzed", "table:fresh")
    assert found.fix == "ANALYZE public.fresh;"


def test_is_silent_about_analyzed_and_empty_tables(well: Seen) -> None:
    assert well.of("table.never_analyzed") == []
