"""sequence.near_end: sequences near their end."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_an_identity_that_is_nearly_used_up(ill: Seen) -> None:
    found = ill.one("sequence.near_end", "sequence:counted_id_seq")
    assert found.severity == "error"
    assert found.evidence["end"] == 2**31 - 1
    assert ill.one("sequence.near_end", "sequence:typed_seq").evidence["end"] == 2**15 - 1


def test_is_silent_about_sequences_that_cycle_or_began(well: Seen) -> None:
    assert well.of("sequence.near_end") == []
