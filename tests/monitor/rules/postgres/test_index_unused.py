"""index.unused: indexes that nothing reads."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen

_DAY = 86_400


def test_finds_an_index_that_nothing_read(ill: Seen) -> None:
    found = ill.aged(2 * _DAY).one("index.unused", "index:scanned_w_id")
    assert found.severity == "info" and "too short" in found.message
    found = ill.aged(8 * _DAY).one("index.unused", "index:scanned_w_id")
    assert found.severity == "warning" and "in 8 days" in found.message
    assert found.evidence["index_age"] == "not known to the server"


def test_is_silent_about_unique_ones_and_those_of_foreign_keys(well: Seen) -> None:
    assert well.aged(8 * _DAY).of("index.unused") == []


def test_is_silent_below_a_day_and_where_no_reset_is_known_and_nothing_is_old(ill: Seen) -> None:
    assert ill.of("index.unused") == []
    rows = tuple({**row, "stats_reset": None} for row in ill.snapshot.sections["databases"])
    never = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "databases": rows}))
    assert never.of("index.unused") == []
    found = never.aged(8 * _DAY).one("index.unused", "index:scanned_w_id")
    assert "8 days at least" in found.message and "never reset" in found.evidence["counted_since"]
