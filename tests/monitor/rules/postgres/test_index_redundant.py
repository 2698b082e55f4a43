"""index.redundant: indexes that another index covers."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen

from dbtrust.monitor.rules.postgres._common import LOCKS_ALL


def test_finds_a_duplicate_and_a_prefix(ill: Seen) -> None:
    assert ill.subjects("index.redundant") == {"index:scanned_w", "index:scanned_w_again"}
    assert ill.one("index.redundant", "index:scanned_w").evidence["keeper_name"] == "scanned_w_id"
    assert ill.one("index.redundant", "index:scanned_w").fix == "DROP INDEX CONCURRENTLY public.scanned_w;"


def test_an_index_of_a_partitioned_table_knows_no_concurrently(ill: Seen) -> None:
    tables = tuple({**row, "kind": "p"} for row in ill.snapshot.sections["tables"])
    seen = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "tables": tables}))
    assert seen.one("index.redundant", "index:scanned_w").fix == f"DROP INDEX public.scanned_w; {LOCKS_ALL}"


def test_is_silent_about_indexes_that_only_look_alike(well: Seen) -> None:
    assert well.of("index.redundant") == []
