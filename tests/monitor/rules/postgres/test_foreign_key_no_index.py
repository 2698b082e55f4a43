"""foreign_key.no_index: foreign keys without an index."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_foreign_key_without_index(ill: Seen) -> None:
    found = ill.one("foreign_key.no_index", "constraint:child.child_twin_fkey")
    assert "ON public.child (twin)" in found.fix


def test_is_silent_about_small_tables_and_indexed_keys(well: Seen) -> None:
    assert well.of("foreign_key.no_index") == []
