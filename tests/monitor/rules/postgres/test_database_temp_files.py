"""database.temp_files: temporary files."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_temporary_files(ill: Seen) -> None:
    found = ill.one("database.temp_files", "database:postgres")
    assert found.evidence["temp_bytes"] > 64 * 2**20
    assert found.evidence["work_mem_kb"] == "64"


def test_is_silent_where_work_mem_was_enough(well: Seen) -> None:
    assert well.of("database.temp_files") == []
