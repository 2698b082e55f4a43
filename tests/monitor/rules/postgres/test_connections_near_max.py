"""connections.near_max: connections near their maximum."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_nearly_all_connections_in_use(ill: Seen) -> None:
    found = ill.one("connections.near_max", "setting:max_connections")
    assert found.evidence["limit"] == 23
    assert found.evidence["states"]["idle"] >= 10


def test_is_silent_with_a_few_connections(well: Seen) -> None:
    assert well.of("connections.near_max") == []
