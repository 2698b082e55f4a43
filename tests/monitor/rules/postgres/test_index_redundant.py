"""index.redundant: indexes that another index covers."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_duplicate_and_a_prefix(ill: Seen) -> None:
    assert ill.subjects("index.redundant") == {"index:scanned_w", "index:scanned_w_again"}
    assert ill.one("index.redundant", "index:scanned_w").evidence["keeper_name"] == "scanned_w_id"


def test_is_silent_about_indexes_that_only_look_alike(well: Seen) -> None:
    assert well.of("index.redundant") == []
