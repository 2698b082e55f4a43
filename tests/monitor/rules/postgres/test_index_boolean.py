"""index.boolean: indexes of a boolean."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_index_of_a_boolean(ill: Seen) -> None:
    found = ill.one("index.boolean", "index:scanned_flag")
    assert found.evidence["bytes"] > 0


def test_is_silent_about_partial_and_tiny_ones(well: Seen) -> None:
    assert well.of("index.boolean") == []
