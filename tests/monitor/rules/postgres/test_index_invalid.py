"""index.invalid: invalid indexes."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


def test_finds_an_index_whose_build_failed(ill: Seen) -> None:
    found = ill.one("index.invalid", "index:sick_invalid")
    assert found.evidence["unique"]
    assert "REINDEX INDEX CONCURRENTLY public.sick_invalid" in found.fix
    assert found.fix.startswith("remove duplicates first")


def test_what_a_failed_reindex_left_is_only_dropped(ill: Seen) -> None:
    rows = ill.snapshot.sections["indexes"]
    left = tuple({**r, "name": "twins_v_ccnew1"} for r in rows if r["name"] == "sick_invalid")
    seen = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "indexes": left}))
    (found,) = seen.of("index.invalid")
    assert found.fix == "DROP INDEX CONCURRENTLY public.twins_v_ccnew1;"


def test_is_silent_about_valid_ones(well: Seen) -> None:
    assert well.of("index.invalid") == []
