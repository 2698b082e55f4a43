"""autovacuum.disabled: autovacuum switched off for a table."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_with_autovacuum_switched_off(ill: Seen) -> None:
    found = ill.one("autovacuum.disabled", "table:unattended")
    assert "unattended RESET (autovacuum_enabled)" in found.fix


def test_is_silent_about_tables_with_other_options(well: Seen) -> None:
    assert well.of("autovacuum.disabled") == []
