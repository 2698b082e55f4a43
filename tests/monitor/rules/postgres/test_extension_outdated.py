"""extension.outdated: outdated extensions."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_extension_of_an_older_version(ill: Seen) -> None:
    found = ill.one("extension.outdated", "extension:pgstattuple")
    assert found.evidence == {"version": "1.4", "available": "1.5"}


def test_is_silent_about_extensions_that_are_up_to_date(well: Seen) -> None:
    assert well.of("extension.outdated") == []
