"""index.null_heavy: indexes of NULLs."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_index_of_nulls(ill: Seen) -> None:
    found = ill.one("index.null_heavy", "index:scanned_rare")
    assert found.evidence["null_fraction"] > 0.9


def test_is_silent_about_full_columns(well: Seen) -> None:
    assert well.of("index.null_heavy") == []
