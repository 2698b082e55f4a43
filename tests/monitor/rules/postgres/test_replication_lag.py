"""replication.lag: replication lag."""

from __future__ import annotations

from tests.monitor.conftest import Seen


def test_finds_a_standby_that_does_not_replay(lagging: tuple[Seen, Seen]) -> None:
    primary, replica = lagging
    assert primary.one("replication.lag", "replica:late").evidence["lag_bytes"] > 16 * 2**20
    assert "paused" in replica.one("replication.lag", "replica:this server").message


def test_is_silent_where_there_is_no_replica(well: Seen) -> None:
    assert well.of("replication.lag") == []
