"""mxid.wraparound: multixact ids near their end."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_multixact_ids_near_their_end(ill: Seen) -> None:
    found = ill.one("mxid.wraparound", "database:postgres")
    assert found.severity == "error"
    assert found.evidence["age"] > 1_500_000_000


def test_is_silent_about_young_ids(well: Seen) -> None:
    assert well.of("mxid.wraparound") == []
