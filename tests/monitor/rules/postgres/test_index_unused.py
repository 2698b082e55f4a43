"""index.unused: indexes that nothing reads."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_index_that_nothing_read(ill: Seen) -> None:
    found = ill.one("index.unused", "index:scanned_w_id")
    assert found.severity == "info"
    assert "too short" in found.message
    assert found.evidence["index_age"] == "not known to the server"


def test_is_silent_about_unique_ones_and_those_of_foreign_keys(well: Seen) -> None:
    assert well.of("index.unused") == []
