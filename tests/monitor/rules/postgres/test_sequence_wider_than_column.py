"""sequence.wider_than_column: sequences wider than their column."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_bigint_sequence_behind_a_smallint(ill: Seen) -> None:
    found = ill.one("sequence.wider_than_column", "sequence:typed_seq")
    assert found.evidence["column_type"] == "smallint"


def test_is_silent_about_serial_and_identity_columns(well: Seen) -> None:
    assert well.of("sequence.wider_than_column") == []
