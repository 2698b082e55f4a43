"""database.checksum_failures: checksum failures."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_page_that_was_damaged(ill: Seen) -> None:
    found = ill.one("database.checksum_failures", "database:postgres")
    assert found.evidence["failures"] >= 1
    assert found.severity == "error"


def test_is_silent_where_every_page_is_whole(well: Seen) -> None:
    assert well.of("database.checksum_failures") == []
