"""Another primary is elected while a set is read: it is told, and no member's profiler stays on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from tests.monitor.rules.mongo.conftest import Three

from dbtrust.engine.mongo import monitor
from dbtrust.engine.mongo.monitor_ask import Asker
from dbtrust.engine.mongo.profile_leftover import SECONDARY
from dbtrust.engine.mongo.profiler import Record, Settings, filter_of, settings
from dbtrust.engine.waiting import await_true


def _priorities(three: Three, others: int) -> None:
    def change(config: dict[str, Any]) -> None:
        for member in config["members"][1:]:
            member["priority"] = others

    three.reconfigure(change)


def _is_primary(three: Three, number: int) -> bool:
    with three.member(number) as client:
        return bool(client.admin.command("hello")["isWritablePrimary"])


@pytest.fixture
def electable(three: Three) -> Iterator[Three]:
    """Each member may become primary; afterwards the first one is it again."""
    _priorities(three, 1)
    yield three
    with three.member(0) as first:
        first.admin.command("replSetFreeze", 0)
    _priorities(three, 0)
    assert await_true(lambda: _is_primary(three, 0), 60)


def _step_down(three: Three) -> None:
    with three.member(0) as first:
        first.admin.command("replSetStepDown", 60, force=True)
    assert await_true(lambda: _is_primary(three, 1) or _is_primary(three, 2), 60)


def test_an_election_is_told_and_the_profiler_of_the_former_primary_put_back(
    electable: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"t_{uuid.uuid4().hex[:12]}"
    with pymongo.MongoClient[dict[str, Any]](electable.url) as client:
        client[name].c.with_options(write_concern=pymongo.WriteConcern(3)).insert_one({})
    read, armed = monitor.read_members, list[int]()

    def meanwhile(*arguments: Any) -> Any:
        armed.append(_level(electable, 0, name))
        _step_down(electable)
        return read(*arguments)

    monkeypatch.setattr(monitor, "read_members", meanwhile)
    now = electable.look(profiler=True, profile_seconds=0)
    monkeypatch.undo()
    assert armed == [1] and [_level(electable, n, name) for n in range(3)] == [0, 0, 0]
    told = {item.what: item.needs for item in now.not_examined}
    first = f"127.0.0.1:{electable.ports[0]}"
    assert told["the set at one time"].startswith(f"a set that keeps its primary: it was {first}, now it is ")
    assert (
        told[f"the end of system.profile of {name} on {first}, which holds commands with values"] == SECONDARY
    )
    assert {"collections", "indexes", "status", "slow"} <= set(now.sections)
    assert {row["member"] for row in now.sections["status"]} == {f"127.0.0.1:{p}" for p in electable.ports}
    # What a killed run left on the former primary is put back by a run that asks the new one.
    with electable.member(0) as former:
        former[name].command({"profile": 1, "filter": filter_of(100)})
        Record(f"rs3 {first}").write({name: Settings(0, 100, 1.0, kept=False)}, {})
    assert _level(electable, 0, name) == 1
    after = electable.look(profiler=True, profile_seconds=0)
    assert [row["outcome"] for row in after.sections["profiler_repairs"]] == ["put back"]
    assert _level(electable, 0, name) == 0


def _level(three: Three, number: int, database: str) -> int:
    with three.member(number) as client:
        return settings(Asker(client, three.url, 5000), database).level
