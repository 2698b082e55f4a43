"""Members that are behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pymongo.errors import OperationFailure
from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.waiting import await_true
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rules.mongo.replication_lag import RULE


def later(now: Snapshot, ms: float) -> Snapshot:
    """The same, had the members that are behind stayed so for `ms` more."""
    rows = tuple(
        {**row, "lag_ms": row["lag_ms"] + ms} if row["lag_ms"] else row for row in now.sections["members"]
    )
    return replace(now, sections={**now.sections, "members": rows})


def locked(member: Any) -> bool:
    """Locks a member's writes; a member that has just joined takes no checkpoint until it has caught up."""
    try:
        member.admin.command({"fsync": 1, "lock": True})
    except OperationFailure as error:
        assert "checkpoint" in str(error)
        return False
    return True


def test_finds_a_member_that_applies_nothing(three: Any) -> None:
    name = f"127.0.0.1:{three.ports[2]}"
    with three.member(2) as behind, three.member(0) as first:
        assert await_true(lambda: locked(behind), 60)
        try:
            seen: list[Snapshot] = []

            def late() -> bool:
                first.t.c.insert_one({})
                seen[:] = [three.look()]
                return any(r["member"] == name and r["lag_ms"] for r in seen[0].sections["members"])

            assert await_true(late, 60)
        finally:
            behind.admin.command("fsyncUnlock")
    found = {f.subject: f.severity for f in judged(RULE, later(seen[0], 20_000))}
    assert found[f"server:{name}"] == "warning"
    assert {f.severity for f in judged(RULE, later(seen[0], 100_000))} == {"error"}


def test_is_silent_where_all_follow(three: Any) -> None:
    assert await_true(lambda: judged(RULE, three.look()) == [], 30)
