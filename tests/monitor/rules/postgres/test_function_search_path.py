"""function.search_path: sECURITY DEFINER without search_path."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_definer_function_without_search_path(ill: Seen) -> None:
    found = ill.one("function.search_path", "function:loose()")
    assert "SET search_path" in found.fix
    assert found.evidence["owner_is_superuser"]


def test_is_silent_about_one_that_sets_it(well: Seen) -> None:
    assert well.of("function.search_path") == []
