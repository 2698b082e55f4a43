"""table.no_primary_key: tables without a primary key."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_without_a_primary_key(ill: Seen) -> None:
    found = ill.one("table.no_primary_key", "table:nokey")
    assert found.severity == "warning"


def test_is_silent_about_partitions_of_a_table_with_one(well: Seen) -> None:
    assert well.of("table.no_primary_key") == []
