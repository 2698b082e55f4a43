"""Members that are behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import OperationFailure
from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.mongo.monitor_ask import Asker
from dbtrust.engine.mongo.monitor_members import member_rows
from dbtrust.engine.waiting import await_true
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rules.mongo.replication_lag import RULE


def later(now: Snapshot, ms: float) -> Snapshot:
    """The same, were the members that are behind so by `ms`."""
    rows = tuple({**row, "lag_ms": ms} if row["lag_ms"] else row for row in now.sections["members"])
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


def test_a_member_that_catches_up_at_once_was_not_behind(three: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it looks after a pause of the primary: its last entry is young, the member's the one before."""
    name, command = f"127.0.0.1:{three.ports[2]}", Asker.command
    with three.member(2) as behind, three.member(0) as first:
        assert await_true(lambda: locked(behind), 60)
        opened: list[float] = []

        def lag() -> float:
            status = first.admin.command("replSetGetStatus")
            config = first.admin.command("replSetGetConfig")["config"]
            return next(row["lag_ms"] for row in member_rows(status, config) if row["member"] == name)

        def optime(client: Any) -> Any:
            members = client.admin.command("replSetGetStatus")["members"]
            return next(member["optimeDate"] for member in members if member["name"] == name)

        def late() -> bool:
            """Once the primary knows how far the member is: what it knew before may be an entry, or ten seconds, old."""
            first.t.c.insert_one({})
            return optime(first) == optime(behind) and lag() >= 2000

        def unlocking(self: Asker, database: str, asked: Any) -> dict[str, Any]:
            reply = command(self, database, asked)
            if "replSetGetStatus" in asked and not opened:
                opened.append(lag())
                behind.admin.command("fsyncUnlock")
            return reply

        try:
            assert await_true(late, 60)
            monkeypatch.setattr(Asker, "command", unlocking)
            now = three.look()
        finally:
            if not opened:
                behind.admin.command("fsyncUnlock")
    (row,) = (row for row in now.sections["members"] if row["member"] == name)
    assert opened[0] >= 2000 and row["lag_ms"] == 0


def test_is_silent_where_all_follow(three: Any) -> None:
    assert await_true(lambda: judged(RULE, three.look()) == [], 30)
