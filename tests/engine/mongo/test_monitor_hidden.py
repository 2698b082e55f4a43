"""What is slow and cannot be seen is told; dbtrust's own reads are told apart by name and comment together."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest

from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.engine.mongo.monitor_ask import APP, COMMENT
from dbtrust.engine.mongo.monitor_collections import Names
from dbtrust.engine.mongo.monitor_operations import Operations
from dbtrust.engine.mongo.shapes import LEFT_OUT, shape
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.waiting import await_true
from dbtrust.model.snapshot import ReadOptions, Snapshot
from dbtrust.monitor.mongo import redacted
from dbtrust.monitor.mongo_view import view

QUICK = ReadOptions(profiler=False)


@pytest.fixture
def url(mongo_url: str, mongo_db: Any) -> str:
    mongo_db.c.insert_many([{"n": n} for n in range(20)])
    return with_database(mongo_url, mongo_db.name)


@pytest.fixture
def setting(mongo_db: Any) -> Iterator[Callable[..., None]]:
    """Changes the profiler's settings, of which two are the whole server's, until the test ends."""
    before = mongo_db.command("profile", -1)
    yield lambda level=0, **values: mongo_db.command("profile", level, **values)
    mongo_db.command("profile", 0, slowms=before["slowms"], sampleRate=before["sampleRate"], filter="unset")


def _told(now: Snapshot) -> dict[str, str]:
    return {item.what: item.needs for item in now.not_examined}


def test_slow_operations_below_slowms_are_told(url: str, mongo_db: Any, setting: Callable[..., None]) -> None:
    setting(slowms=5000, sampleRate=0.25)
    list(mongo_db.c.find({"$where": "this.n != 1 || sleep(150) || true"}))
    now = read_snapshot(url, QUICK)
    assert now.sections["slow"] == ()
    told = _told(now)
    assert told["slow operations under 5000 ms"].startswith("slowms of 100: it is 5000 on ")
    assert told["75% of the slow operations"].startswith("sampleRate of 1: it is 0.25 on ")
    (listing,) = (item for item in view(now, None).listings if item.name == "slow_operations")
    assert listing.note.startswith("at least 5000 ms each: ")


def test_the_moment_of_the_profiler_is_told_beside_it(
    url: str, mongo_db: Any, setting: Callable[..., None]
) -> None:
    setting(slowms=5000)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            list(mongo_db.c.find({"$where": "this.n != 1 || sleep(120) || true"}))

    worker = threading.Thread(target=work)
    worker.start()
    now = read_snapshot(url, ReadOptions(profile_seconds=0.5))
    stop.set()
    worker.join()
    assert now.sections["slow"] and _told(now)["slow operations under 5000 ms"].endswith(
        ", 0.5 seconds of the profiler apart"
    )
    (listing,) = (item for item in view(now, None).listings if item.name == "slow_operations")
    assert listing.note.startswith("at least 5000 ms each, for 0.5 seconds at least 100 ms: ")


def test_a_filter_is_told_and_a_whole_profile_hides_nothing(
    url: str, mongo_db: Any, setting: Callable[..., None]
) -> None:
    setting(filter={"ns": "SECRET"})
    told = _told(read_snapshot(url, QUICK))
    (needs,) = (n for what, n in told.items() if what.startswith("slow operations in "))
    assert needs.startswith("no filter there: it is {") and "SECRET" not in needs
    setting(2, filter="unset", slowms=5000)
    assert _told(read_snapshot(url, QUICK)) == {}


def test_a_server_with_its_defaults_hides_nothing(url: str) -> None:
    assert _told(read_snapshot(url, QUICK)) == {}


@pytest.mark.parametrize(
    ("app", "comment", "seen"),
    [(APP, None, True), (f"{APP}-shop", COMMENT, True), ("shop", COMMENT, True), (APP, COMMENT, False)],
)
@pytest.mark.parametrize("level", [0, 2])
def test_only_name_and_comment_together_are_monitors_own(
    url: str, mongo_url: str, mongo_db: Any, setting: Callable[..., None], app: str, comment: Any, seen: bool,
    level: int,
) -> None:  # fmt: skip
    """In the log (level 0), in the profile (2), in what runs now, and of a getMore."""
    setting(level)
    with pymongo.MongoClient[dict[str, Any]](mongo_url, appname=app) as client:
        target = client[mongo_db.name].c
        slowly = {"$where": "sleep(15) || true"}
        list(target.find(slowly, comment=comment, batch_size=9))
        running = threading.Thread(
            target=lambda: list(target.find({"$where": "sleep(100) || true"}, comment=comment))
        )
        running.start()
        pipeline = [{"$currentOp": {}}, {"$match": {"ns": f"{mongo_db.name}.c", "appName": app}}]
        assert await_true(lambda: bool(list(mongo_db.client.admin.aggregate(pipeline))), 60)
        now = read_snapshot(url, QUICK)
        running.join()
    assert bool(now.sections["slow"]) == seen
    assert bool([row for row in now.sections["operations"] if row["app"] == app]) == seen


@pytest.mark.parametrize("level", [0, 1])
def test_a_long_command_is_neither_lost_nor_shown(
    url: str, mongo_db: Any, setting: Callable[..., None], level: int
) -> None:
    """The log keeps the beginning of it, the profiler a text in which nothing is quoted."""
    setting(level)
    wanted = {"$where": "sleep(10) || true", "n": {"$nin": [f"secret {n}" for n in range(9000)]}}
    list(mongo_db.c.find(wanted).sort("n", 1))
    now = redacted(read_snapshot(url, QUICK))
    (row,) = now.sections["slow"]
    assert (row["operation"], row["count"], row["documents"]) == ("find", 1, 20)
    assert row["shape"].startswith('{"filter": {"$where": "?", "n": {"$nin": ["?"]}}') and row[
        "shape"
    ].endswith("…")
    assert "secret" not in json.dumps(now.sections["slow"])
    # Where the log has moved on there is the profiler's text alone.
    alone = Operations(Names(single=True), [mongo_db.name])
    for entry in mongo_db["system.profile"].find():
        alone.profiled(entry)
    found = [(row["operation"], row["shape"], row["count"]) for row in alone.rows()]
    assert found == ([("find", LEFT_OUT, 1)] if level else [])


@pytest.mark.parametrize(
    "stage",
    [
        {"$graphLookup": {"from": "c", "startWith": "SECRET", "connectFromField": "a", "connectToField": "b", "as": "x"}},
        {"$geoNear": {"near": [1, 2], "distanceField": "d", "query": {"price": "$SECRET"}}},
        {"$lookup": {"from": "c", "let": {"v": "SECRET"}, "pipeline": [{"$match": {"a": "SECRET"}}], "as": "x"}},
        {"$merge": {"into": "c", "let": {"v": "SECRET"}, "whenMatched": [{"$set": {"a": "SECRET"}}]}},
        {"$project": {"a": {"$concat": ["$b", "SECRET"]}, "c": {"$literal": "$SECRET"}}},
    ],
)  # fmt: skip
def test_no_stage_shows_a_value(stage: dict[str, Any]) -> None:
    assert "SECRET" not in shape({"aggregate": "c", "pipeline": [stage]})


def test_what_is_left_unmeasured_is_told_with_its_size(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest is measured; what the others hold together matters too little to go on."""
    for number in range(4):
        mongo_db[f"small{number}"].insert_one({})
    mongo_db.big.insert_many([{"n": n} for n in range(100)])
    monkeypatch.setattr("dbtrust.engine.mongo.monitor_collections.FIRST", 1)
    now = read_snapshot(url, QUICK)
    (what,) = _told(now)
    assert what.startswith("the sizes of 5 smaller collections, whose files hold ")
    assert [r["collection"] for r in now.sections["collections"] if r["bytes"] is not None] == ["big"]
    (row,) = now.sections["totals"]
    assert (row["collections"], row["documents"]) == (6, 124)
    monkeypatch.setattr("dbtrust.engine.mongo.monitor_collections.MATTERS", 0)
    assert _told(read_snapshot(url, QUICK)) == {}
