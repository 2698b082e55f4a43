"""table.row_security: row security that does nothing."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_policies_that_are_not_applied_and_tables_without_any(ill: Seen) -> None:
    assert ill.one("table.row_security", "table:policed").severity == "warning"
    assert ill.one("table.row_security", "table:hidden").severity == "info"


def test_is_silent_about_a_table_with_both(well: Seen) -> None:
    assert well.of("table.row_security") == []
