"""sequence.near_end: sequences near their end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
from tests.monitor.conftest import Seen

from dbtrust.engine.postgres.monitor import read_snapshot
from dbtrust.model.snapshot import ReadOptions


def test_finds_an_identity_that_is_nearly_used_up(ill: Seen) -> None:
    found = ill.one("sequence.near_end", "sequence:counted_id_seq")
    assert found.severity == "error"
    assert found.evidence["end"] == 2**31 - 1
    assert ill.one("sequence.near_end", "sequence:typed_seq").evidence["end"] == 2**15 - 1


def test_is_silent_about_sequences_that_cycle_or_began(well: Seen) -> None:
    assert well.of("sequence.near_end") == []


def test_a_descending_sequence_is_widened_below_and_the_share_is_rounded_down(ill: Seen) -> None:
    row = next(r for r in ill.snapshot.sections["sequences"] if r["name"] == "counted_id_seq")
    down = {**row, "increment": -1, "min": -1000, "max": -1, "last": -996, "table": None}
    seen = Seen(replace(ill.snapshot, sections={**ill.snapshot.sections, "sequences": (down, row)}))
    first, second = seen.of("sequence.near_end")
    assert "has used 99%" in first.message
    assert first.fix == "ALTER SEQUENCE public.counted_id_seq AS bigint MINVALUE -9223372036854775808;"
    assert "(" not in second.fix and second.fix.endswith("AS bigint MAXVALUE 9223372036854775807;")


def test_a_domain_and_the_narrowest_of_several_columns_count(
    pg: psycopg.Connection[Any], pg_database: str
) -> None:
    pg.execute(
        "CREATE DOMAIN narrow AS int; CREATE DOMAIN did AS narrow; CREATE TABLE sdom (id did PRIMARY KEY);"
        "CREATE SEQUENCE sdom_s OWNED BY sdom.id; ALTER TABLE sdom ALTER id SET DEFAULT nextval('sdom_s');"
        "SELECT setval('sdom_s', 2100000000);"
        "CREATE SEQUENCE shared; CREATE TABLE sh1 (id bigint PRIMARY KEY DEFAULT nextval('shared'));"
        "CREATE TABLE sh2 (id int PRIMARY KEY DEFAULT nextval('shared')); ALTER SEQUENCE shared OWNED BY sh1.id;"
        "SELECT setval('shared', 2100000000); CREATE SEQUENCE alone; SELECT setval('alone', 2100000000)"
    )
    seen = Seen(read_snapshot(pg_database, ReadOptions()))
    both = {"sequence:sdom_s", "sequence:shared"}
    assert seen.subjects("sequence.near_end") == seen.subjects("sequence.wider_than_column") == both
    assert "ALTER TABLE public.sh2" in seen.one("sequence.near_end", "sequence:shared").fix
    assert len(seen.snapshot.sections["sequences"]) == 3
