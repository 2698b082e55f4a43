"""index.bloat: bloated indexes."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_index_that_is_mostly_empty(ill: Seen) -> None:
    found = ill.one("index.bloat", "index:bloated_pkey")
    assert found.evidence["leaf_density"] < 20
    assert found.evidence["method"] == "pgstatindex"


def test_is_silent_about_indexes_that_are_full(well: Seen) -> None:
    assert well.of("index.bloat") == []
