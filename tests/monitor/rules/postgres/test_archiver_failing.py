"""archiver.failing: wAL archiving fails."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_archive_command_that_fails(ill: Seen) -> None:
    found = ill.one("archiver.failing", "setting:archive_command")
    assert found.evidence["failed"] > 0
    assert found.severity == "error"


def test_is_silent_where_nothing_is_archived(well: Seen) -> None:
    assert well.of("archiver.failing") == []
