"""replication.slot: inactive replication slots."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_slot_that_nobody_reads(ill: Seen) -> None:
    found = ill.one("replication.slot", "slot:forgotten")
    assert found.evidence["retained_bytes"] > 0
    assert "pg_drop_replication_slot" in found.fix


def test_is_silent_without_slots(well: Seen) -> None:
    assert well.of("replication.slot") == []
