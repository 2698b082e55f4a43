"""foreign_key.no_index: foreign keys without an index."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


def test_finds_a_foreign_key_without_index(ill: Seen) -> None:
    found = ill.one("foreign_key.no_index", "constraint:child.child_twin_fkey")
    assert found.fix == "CREATE INDEX CONCURRENTLY ON public.child (twin);"


def test_a_partitioned_table_knows_no_concurrently(ill: Seen) -> None:
    tables = tuple({**row, "kind": "p"} for row in ill.snapshot.sections["tables"])
    seen = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "tables": tables}))
    found = seen.one("foreign_key.no_index", "constraint:child.child_twin_fkey")
    assert found.fix == "CREATE INDEX ON public.child (twin);"


def test_is_silent_about_small_tables_and_indexed_keys(well: Seen) -> None:
    assert well.of("foreign_key.no_index") == []
