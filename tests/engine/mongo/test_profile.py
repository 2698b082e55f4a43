"""The profiler read while it is written, on a real server."""

from __future__ import annotations

import uuid
from typing import Any

import pymongo
import pytest

from dbtrust.engine.mongo.profile import Profile, sent
from dbtrust.engine.waiting import await_true
from dbtrust.model.errors import USAGE, DbtrustError
from dbtrust.model.recorded import Sent


def commands(entries: list[Any]) -> list[dict[str, Any]]:
    return [dict(found.command) for entry in entries if isinstance(found := sent(entry), Sent)]


def test_every_command_in_order(mongo_url: str, mongo_db: Any) -> None:
    entries: list[Any] = []
    profile = Profile(mongo_url, mongo_db.name, entries.append)
    with pymongo.MongoClient[Any](mongo_url) as client, profile.running():
        c = client[mongo_db.name]["c"]
        c.insert_many([{"_id": n} for n in range(300)])
        assert len(list(c.find({"_id": {"$gte": 0}}, batch_size=100, comment="x"))) == 300
        c.update_many({"_id": 1}, {"$set": {"a": 1}})
        c.delete_one({"_id": 2})
        c.find_one_and_update({"_id": 3}, {"$set": {"a": 2}})
        c.distinct("a")
        for n in range(500):
            c.find_one({"_id": n})
    found = commands(entries)
    assert found[:5] == [
        {"find": "c", "filter": {"_id": {"$gte": 0}}},
        {"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"a": 1}}, "multi": True}]},
        {"delete": "c", "deletes": [{"q": {"_id": 2}, "limit": 1}]},
        {"findAndModify": "c", "query": {"_id": 3}, "update": {"$set": {"a": 2}}},
        {"distinct": "c", "key": "a"},
    ]
    assert found[5:] == [{"find": "c", "filter": {"_id": n}, "limit": 1} for n in range(500)]
    assert profile.gaps == 0 and profile.others == ()
    words = {word for entry in entries if isinstance(word := sent(entry), str)}
    assert words == {"inserts, which the server does not explain", "further batches of a cursor"}


def test_a_dropped_database_is_a_gap_and_the_next_commands_are_seen(mongo_url: str, mongo_db: Any) -> None:
    entries: list[Any] = []
    other = f"t_{uuid.uuid4().hex[:12]}"
    profile = Profile(mongo_url, mongo_db.name, entries.append)
    with pymongo.MongoClient[Any](mongo_url) as client:
        with profile.running():
            client.drop_database(mongo_db.name)
            assert await_true(lambda: profile.gaps > 0, 30)
            assert await_true(lambda: bool(client[mongo_db.name].command("profile", -1)["was"]), 30)
            client[mongo_db.name]["c"].find_one({"_id": 7})
            client[other]["c"].insert_one({})
        client.drop_database(other)
    assert {"find": "c", "filter": {"_id": 7}, "limit": 1} in commands(entries)
    assert profile.gaps == 1 and other in profile.others


@pytest.mark.parametrize("command", [{"profile": 0}, {"profile": 1, "filter": "unset", "slowms": 5000}])
def test_changed_settings_are_named_as_the_cause(
    mongo_url: str, mongo_db: Any, command: dict[str, Any]
) -> None:
    profile = Profile(mongo_url, mongo_db.name, lambda _: None)
    before = mongo_db.command("profile", -1)["slowms"]
    try:
        with pytest.raises(DbtrustError, match="changed the profiler's") as caught, profile.running():
            mongo_db.command(command)
    finally:
        # Of the whole server, which the tests after this one use as well.
        mongo_db.command({"profile": 0, "slowms": before})
    assert caught.value.code == USAGE and "take that out" in caught.value.next


def test_what_is_no_command() -> None:
    """Shapes that a 6.0 server writes (mongodb-logs: elements over 50 kB are cut)."""
    cut = {"op": "query", "ns": "d.c", "command": {"$truncated": "{ find: ..."}}
    found = sent(cut)
    assert isinstance(found, Sent) and found.command == {"$truncated": "c"}
    assert (
        sent({"op": "query", "ns": "d.c", "command": {"find": "c"}, "errCode": 2}) == "commands that failed"
    )
    assert sent({"op": "command", "ns": "d.$cmd", "command": {"ping": 1}}) == "commands about no collection"
    assert sent({"op": "command", "ns": "d.c", "command": {"create": "c"}}) == "other commands"
