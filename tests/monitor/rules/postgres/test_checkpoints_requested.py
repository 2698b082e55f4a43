"""checkpoints.requested: checkpoints too frequent."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_checkpoints_that_were_asked_for(ill: Seen) -> None:
    found = ill.one("checkpoints.requested", "setting:max_wal_size")
    assert found.evidence["requested"] >= 12


def test_is_silent_about_a_checkpoint_by_hand(well: Seen) -> None:
    assert well.of("checkpoints.requested") == []
