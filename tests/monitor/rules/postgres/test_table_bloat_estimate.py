"""table.bloat_estimate: tables that look bloated."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_table_that_looks_empty(ill: Seen) -> None:
    found = ill.without("table_bloat").one("table.bloat_estimate", "table:bloated")
    assert "by estimate" in found.message and found.severity == "info"


def test_is_silent_about_what_was_measured(ill: Seen, well: Seen) -> None:
    assert ill.of("table.bloat_estimate") == []
    assert well.without("table_bloat").of("table.bloat_estimate") == []
