"""sequence.near_end: sequences near their end."""

from __future__ import annotations

from dataclasses import replace

from tests.monitor.conftest import Seen


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
