"""index.invalid: invalid indexes."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_index_whose_build_failed(ill: Seen) -> None:
    found = ill.one("index.invalid", "index:sick_invalid")
    assert found.evidence["unique"]
    assert "REINDEX INDEX CONCURRENTLY public.sick_invalid" in found.fix


def test_is_silent_about_valid_ones(well: Seen) -> None:
    assert well.of("index.invalid") == []
