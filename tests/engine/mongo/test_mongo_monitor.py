"""Snapshots of real servers: what is read, with which rights, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pymongo
import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent
from tests.monitor.rules.mongo.conftest import Three

from dbtrust.engine.mongo import monitor, monitor_members, monitor_sample, profile_leftover
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.monitor import commands, read_snapshot
from dbtrust.engine.mongo.monitor_ask import Asker
from dbtrust.engine.mongo.profiler import Profiling, Record, read_settings, settings
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.waiting import await_true
from dbtrust.model.snapshot import ReadOptions
from dbtrust.monitor.in_check import mongo_in_check
from dbtrust.monitor.registry import rules
from dbtrust.monitor.rules.mongo.server_profiler import RULE as PROFILER

QUICK = ReadOptions(profiler=False)


def four(mongo_db: Any) -> tuple[Any, ...]:
    found = mongo_db.command("profile", -1)
    return found["was"], found["slowms"], found["sampleRate"], found.get("filter")


def server_of(mongo_db: Any) -> str:
    hello = mongo_db.client.admin.command("hello")
    return f"{hello['setName']} {hello['me']}"


@pytest.fixture
def url(mongo_url: str, mongo_db: Any) -> str:
    return with_database(mongo_url, mongo_db.name)


def test_the_profiler_catches_what_is_slow_and_is_put_back(url: str, mongo_db: Any) -> None:
    mongo_db.c.insert_one({"n": 1})
    mongo_db.command({"profile": 0, "filter": {"millis": {"$gt": 5000}}})
    before = four(mongo_db)
    with connect(url) as client:
        profiling = Profiling(Asker(client, url, 5000), server_of(mongo_db))
        with profiling.held():
            profiling.arm([mongo_db.name], 100)
            assert four(mongo_db)[0] == 1
            list(mongo_db.c.find({"$where": "sleep(150) || true"}))
            list(mongo_db.c.find({"n": 1}))
            assert [e["millis"] >= 150 for e in mongo_db["system.profile"].find()] == [True]
    assert four(mongo_db) == before
    assert "system.profile" not in mongo_db.list_collection_names()


def test_a_profile_that_was_there_stays_and_one_that_is_on_is_left_alone(url: str, mongo_db: Any) -> None:
    mongo_db.c.insert_one({"n": 1})
    mongo_db.command("profile", 2)
    list(mongo_db.c.find({"n": 1}))
    before = four(mongo_db)
    now = read_snapshot(url, ReadOptions(profile_seconds=0))
    assert four(mongo_db) == before and now.sections["profiler_settings"][0]["level"] == 2
    mongo_db.command("profile", 0)
    held = mongo_db["system.profile"].count_documents({})
    read_snapshot(url, ReadOptions(profile_seconds=0))
    assert mongo_db["system.profile"].count_documents({}) >= held > 0


def _began(mongo_db: Any, milliseconds: int) -> threading.Thread:
    """An operation of so long, which runs."""
    slowly = threading.Thread(
        target=lambda: list(mongo_db.c.find({"$where": f"sleep({milliseconds}) || true"}))
    )
    slowly.start()
    active = [{"$currentOp": {}}, {"$match": {"active": True, "ns": f"{mongo_db.name}.c"}}]
    assert await_true(lambda: bool(list(mongo_db.client.admin.aggregate(active))), 60)
    return slowly


def _profiled(url: str, mongo_db: Any, milliseconds: int) -> tuple[threading.Thread, dict[str, str]]:
    """An operation that began while dbtrust profiled, and what was not examined."""
    with connect(url) as client:
        ask = Asker(client, url, 5000)
        profiling = Profiling(ask, server_of(mongo_db))
        with profiling.held():
            profiling.arm([mongo_db.name], 100)
            worker = _began(mongo_db, milliseconds)
        return worker, {item.what: item.needs for item in ask.notes.found.values()}


def test_an_operation_that_ends_later_leaves_no_profile(url: str, mongo_db: Any) -> None:
    mongo_db.c.insert_one({"n": 1})
    worker, told = _profiled(url, mongo_db, 1200)
    worker.join()
    assert "system.profile" not in mongo_db.list_collection_names() and told == {}
    assert Record(server_of(mongo_db)).read() is None


def test_a_profile_that_stays_is_told_and_dropped_by_the_next_run(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.c.insert_one({"n": 1})
    monkeypatch.setattr(profile_leftover, "PATIENCE", 0.1)
    worker, told = _profiled(url, mongo_db, 1500)
    (what,) = told
    assert what.startswith(f"the end of system.profile of {mongo_db.name} on ")
    assert told[what] == profile_leftover.BUSY
    worker.join()
    assert "system.profile" in mongo_db.list_collection_names()
    quiet = read_snapshot(url, QUICK)
    assert "system.profile left by an earlier run" in {item.what for item in quiet.not_examined}
    now = read_snapshot(url, ReadOptions(profile_seconds=0))
    assert now.not_examined == () and now.sections["profiler_repairs"] == ()
    assert "system.profile" not in mongo_db.list_collection_names()
    assert Record(server_of(mongo_db)).read() is None


def test_an_owed_profile_in_which_others_wrote_since_is_left_to_them(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.c.insert_one({"n": 1})
    monkeypatch.setattr(profile_leftover, "PATIENCE", 0.1)
    worker, _ = _profiled(url, mongo_db, 1000)
    worker.join()
    mongo_db.command("profile", 2)
    list(mongo_db.c.find({"n": 1}))
    mongo_db.command("profile", 0)
    now = read_snapshot(url, ReadOptions(profile_seconds=0))
    assert [item.needs for item in now.not_examined] == [profile_leftover.OTHERS]
    assert "system.profile" in mongo_db.list_collection_names()
    assert Record(server_of(mongo_db)).read() is None


def test_an_error_in_the_middle_puts_the_settings_back(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.c.insert_one({"n": 1})
    before = four(mongo_db)

    def interrupted(*_: Any) -> Any:
        assert four(mongo_db)[0] == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(monitor, "read_oplog", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_snapshot(url)
    assert four(mongo_db) == before


_KILLED = """
import sys, time
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.monitor_ask import Asker
from dbtrust.engine.mongo.profiler import Profiling, read_settings
url, server, database = sys.argv[1:]
with connect(url) as client:
    profiling = Profiling(Asker(client, url, 5000), server)
    with profiling.held():
        profiling.arm([database], 100)
        print("on", flush=True)
        time.sleep(600)
"""


def test_a_killed_run_is_told_and_mended_by_the_next(url: str, mongo_db: Any) -> None:
    mongo_db.c.insert_one({"n": 1})
    mongo_db.command({"profile": 0, "filter": {"millis": {"$gt": 5000}}})
    before = four(mongo_db)
    argv = [sys.executable, "-c", _KILLED, url, server_of(mongo_db), mongo_db.name]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None and process.stdout.readline() == "on\n"
        busy = read_snapshot(url, ReadOptions(profile_seconds=0))
        assert "no other run" in {n.what: n.needs for n in busy.not_examined}["profiler"]
        process.send_signal(signal.SIGKILL)
    assert four(mongo_db)[0] == 1 and Record(server_of(mongo_db)).read() is not None
    left = read_snapshot(url, QUICK)
    assert any("killed run" in n.what for n in left.not_examined) and four(mongo_db)[0] == 1
    now = read_snapshot(url, ReadOptions(profile_seconds=0))
    assert four(mongo_db) == before and Record(server_of(mongo_db)).read() is None
    (found,) = [f for f in PROFILER.decide(now, None) if "killed" in f.message]
    assert "put back" in found.message and found.subject == f"database:{mongo_db.name}"


class Listener(CommandListener):
    """Everything that was sent, but the driver's own commands (those that log in are told without a body)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command and event.command_name not in ("ping", "connectionStatus", "endSessions", "getMore"):
            self.sent.append((event.database_name, dict(event.command)))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def _listen(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    """To the client of the set and to those of its members."""
    for module in (monitor, monitor_members):
        monkeypatch.setattr(module, "connect", partial(connect, listeners=[listener]))


def test_all_that_is_sent_is_printed_bounded_and_marked(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.create_collection("c", validator={"n": {"$gte": 0}})
    mongo_db.c.insert_many([{"n": n} for n in range(200)])
    listener = Listener()
    _listen(monkeypatch, listener)
    read_snapshot(url, ReadOptions(profile_seconds=0))
    printed = " ".join(commands(ReadOptions()))
    assert len(listener.sent) > 15
    for _, command in listener.sent:
        # The driver puts the rest of its own, slightly longer time in the place of ours.
        assert command["comment"] == "dbtrust monitor" and 0 < command["maxTimeMS"] <= 33_000
        assert f'{{"{next(iter(command))}": ' in printed, command
        for stage in command.get("pipeline", ()):
            name = next(iter(stage))
            assert name in printed or name == "$count", stage
    written = [c for _, c in listener.sent if next(iter(c)) not in _READS and c.get("profile") != -1]
    assert [next(iter(c)) for c in written] == ["profile", "profile", "drop"]


_READS = frozenset({
    "hello", "buildInfo", "serverStatus", "replSetGetStatus", "replSetGetConfig", "getCmdLineOpts", "getParameter",
    "getLog", "aggregate", "find", "listCollections", "listDatabases", "dbStats",
})  # fmt: skip


def test_no_profiler_sends_nothing_that_writes(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.c.insert_one({})
    listener = Listener()
    _listen(monkeypatch, listener)
    read_snapshot(url, QUICK)
    assert {c["profile"] for _, c in listener.sent if "profile" in c} == {-1}
    assert not [c for _, c in listener.sent if next(iter(c)) not in {*_READS, "profile"}]
    assert "system.profile, if" not in " ".join(commands(QUICK))


@pytest.fixture
def user_url(mongo_url: str, mongo_client: Any) -> Iterator[Callable[..., str]]:
    """The URL of a new user with these roles."""
    made: list[str] = []

    def make(database: str, *roles: Any) -> str:
        made.append(f"u_{uuid.uuid4().hex[:8]}")
        mongo_client.admin.command("createUser", made[-1], pwd="secret word", roles=list(roles))
        host = mongo_url.rpartition("@")[2].partition("/")[0]
        return f"mongodb://{made[-1]}:secret%20word@{host}/{database}?authSource=admin&replicaSet=rs0"

    yield make
    for name in made:
        mongo_client.admin.command("dropUser", name)


def test_least_rights_see_all_but_the_profiler(mongo_db: Any, user_url: Any) -> None:
    mongo_db.c.insert_many([{"n": n} for n in range(60)])
    now = read_snapshot(user_url(mongo_db.name, "clusterMonitor", "readAnyDatabase"))
    assert {n.what: n.needs for n in now.not_examined} == {
        "profiler": f"enableProfiler on {mongo_db.name} (role dbAdmin)"
    }
    wanted = {"status", "members", "oplog", "settings", "collections", "indexes", "index_usage", "operations",
              "profiler_settings", "slow", "samples", "violations"}  # fmt: skip
    assert wanted <= set(now.sections)


def test_cluster_monitor_alone_needs_read(mongo_db: Any, user_url: Any) -> None:
    mongo_db.c.insert_one({})
    now = read_snapshot(user_url(mongo_db.name, "clusterMonitor"), QUICK)
    blind = ("collections", "indexes", "index_usage", "samples", "violations")
    assert {n.what: n.needs for n in now.not_examined} == dict.fromkeys(blind, monitor.READ)


def test_read_alone_and_no_role_at_all_say_so_once(mongo_db: Any, user_url: Any) -> None:
    mongo_db.c.insert_many([{"n": n} for n in range(60)])
    now = read_snapshot(user_url(mongo_db.name, {"role": "read", "db": mongo_db.name}), QUICK)
    missing = [n.what for n in now.not_examined]
    assert len(missing) == len(set(missing)) and {"status", "oplog", "operations"} <= set(missing)
    assert all("clusterMonitor" in n.needs for n in now.not_examined), now.not_examined
    none = read_snapshot(user_url(mongo_db.name), QUICK)
    assert set(none.sections) <= {"profiler_repairs"} and none.server["version"]


def test_hostile_names_and_every_kind_of_collection(url: str, mongo_db: Any) -> None:
    names = ['a"b', "a'; drop", "<script>alert(1)</script>", "ü ñ", "a.b.c", "x" * 60, "1", "{}"]
    for name in names:
        mongo_db[name].insert_many([{"n": n, "a$b": {"c.d": 1}} for n in range(60)])
    mongo_db.create_collection("view", viewOn="1", pipeline=[])
    mongo_db.create_collection("series", timeseries={"timeField": "t"})
    mongo_db.create_collection("capped", capped=True, size=4096)
    now = read_snapshot(url, QUICK)
    assert now.not_examined == ()
    assert {r["collection"] for r in now.sections["collections"]} == {*names, "view", "series", "capped"}
    assert {r["collection"] for r in now.sections["samples"]} == set(names)
    assert {f["path"] for r in now.sections["samples"] for f in r["fields"]} == {"_id", "n", "a$b", "a$b.c.d"}
    json.dumps([dict(row) for rows in now.sections.values() for row in rows])


def test_a_collection_that_goes_away_meanwhile(
    url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        mongo_db[name].insert_many([{"n": n} for n in range(60)])
    read = monitor.collections.read_collections

    def dropping(*arguments: Any) -> Any:
        rows = read(*arguments)
        mongo_db.b.drop()
        return rows

    monkeypatch.setattr(monitor.collections, "read_collections", dropping)
    now = read_snapshot(url, QUICK)
    assert {r["collection"] for r in now.sections["collections"]} == {"a", "c"}
    assert {r["collection"] for r in now.sections["index_usage"]} == {"a", "c"}


def test_no_value_of_a_document_leaves_the_server(url: str, mongo_db: Any) -> None:
    secret = f"secret{uuid.uuid4().hex}"
    mongo_db.c.insert_many([{"n": secret, "deep": {"er": [secret]}} for _ in range(60)])
    list(mongo_db.c.find({"n": secret, "$where": "sleep(5) || true"}).sort("n", 1))
    now = read_snapshot(url, QUICK)
    assert now.sections["slow"] and now.sections["samples"]
    bare = {k: [{**r, "example": None} for r in rows] for k, rows in now.sections.items()}
    assert secret not in json.dumps(bare)


def test_samples_scan_no_collection_of_any_length(mongo_db: Any, url: str) -> None:
    mongo_db.c.insert_many([{"n": n} for n in range(3000)])
    mongo_db.d.insert_many([{"n": n} for n in range(30_000)])
    read_snapshot(url, QUICK)
    now = read_snapshot(url, QUICK)
    assert {r["collection"]: r["sampled"] for r in now.sections["samples"]} == {"c": 100, "d": 100}
    assert {r["collection_scans"] for r in now.sections["collections"]} == {0}
    assert monitor_sample.sources(10, 100) == [[{"$sort": {"_id": 1}}, {"$limit": 100}]]


def test_all_databases_of_a_server_name_theirs(mongo_url: str, mongo_db: Any) -> None:
    mongo_db.c.insert_one({})
    now = read_snapshot(mongo_url, QUICK)
    assert f"{mongo_db.name}.c" in {r["label"] for r in now.sections["collections"]}
    assert not {"admin", "local", "config"} & {r["database"] for r in now.sections["collections"]}


def test_three_members_each_tell_their_own_use_of_an_index(three: Three) -> None:
    with three.member(0) as first, three.member(1) as second:
        first.use.drop_collection("c")
        first.use.c.with_options(write_concern=pymongo.WriteConcern(3)).insert_one({"n": 1})
        first.use.c.create_index("n")
        assert await_true(lambda: len(list(second.use.c.list_indexes())) == 2, 30)
        second.use.c.find_one({"n": 1})
    now = three.look()
    use = {r["member"]: r["ops"] for r in now.sections["index_usage"] if r["index"] == "n_1"}
    names = [f"127.0.0.1:{port}" for port in three.ports]
    assert use == {names[0]: 0, names[1]: 1, names[2]: 0} and now.server["index_usage_complete"] is True
    assert {r["member"] for r in now.sections["status"]} == set(names)


def test_a_secondary_alone_is_read_as_what_it_is(three: Three) -> None:
    url = f"mongodb://127.0.0.1:{three.ports[1]}/?directConnection=true"
    with three.member(0) as first:
        first.use.d.with_options(write_concern=pymongo.WriteConcern(3)).insert_many(
            [{"n": n} for n in range(60)]
        )
    now = read_snapshot(url, ReadOptions(profile_seconds=0))
    assert now.server["role"] == "secondary"
    # It would not drop the system.profile that profiling makes, so there is none.
    told = {item.what: item.needs.partition(":")[0] for item in now.not_examined}
    assert told.pop("profiler of use") == "a primary" and set(told.values()) <= {"a primary"}
    with three.member(1) as second:
        assert "system.profile" not in second.use.list_collection_names()
    assert {"collections", "samples", "members", "oplog"} <= set(now.sections)
    with three.member(1) as second:
        assert settings(Asker(second, url, 5000), "use").level == 0


def test_a_server_that_stops_half_way_leaves_what_was_read(
    three: Three, mongo_db: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_db.c.insert_one({})

    def gone(*_: Any) -> Any:
        raise pymongo.errors.AutoReconnect("connection closed")

    monkeypatch.setattr(monitor, "read_oplog", gone)
    now = read_snapshot(url, QUICK)
    assert now.server["lost"] == "connection closed" and "status" in now.sections
    needs = {n.what: n.needs for n in now.not_examined}
    assert needs["oplog"] == needs["collections"] == "a server that answers until the end"


def test_check_finds_what_the_definitions_tell(mongo_db: Any) -> None:
    schema = {"bsonType": "object", "properties": {"at": {"bsonType": "string"}}}
    mongo_db.create_collection("a", validator={"$jsonSchema": schema}, validationAction="warn")
    mongo_db.a.create_index("at", expireAfterSeconds=60)
    found = {(f.rule, f.subject) for f in mongo_in_check(mongo_db)}
    assert found == {
        ("collection.validator_warns", "collection:a"), ("index.ttl_without_effect", "index:a.at_1")
    }  # fmt: skip
    assert {rule for rule, _ in found} == {rule.id for rule in rules("mongo") if rule.in_check}


@pytest.mark.parametrize("whole", [2, 100_000])
def test_more_collections_than_one_batch_and_than_are_measured(
    mongo_url: str, mongo_db: Any, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    """What a database of thousands does, with small numbers; replies that are too long end no server."""
    for number in range(5):
        mongo_db[f"c{number}"].insert_many([{"v": n} for n in range(number + 1)])
    for _ in range(20):
        mongo_db.c1.find_one({"v": 0})
    for name, size in {"_BATCH": 2, "_WHOLE": whole}.items():
        monkeypatch.setattr(f"dbtrust.engine.mongo.monitor_ask.{name}", size)
    monkeypatch.setattr("dbtrust.engine.mongo.monitor_collections.MEASURED", 2)
    found = read_snapshot(with_database(mongo_url, mongo_db.name), ReadOptions(profiler=False))
    rows = {row["collection"]: row for row in found.sections["collections"]}
    assert {name: row["documents"] for name, row in rows.items()} == {f"c{n}": n + 1 for n in range(5)}
    assert {name for name, row in rows.items() if row["bytes"] is not None} == {"c1", "c4"}
    assert rows["c0"]["index_sizes"] == {} and rows["c4"]["index_sizes"]["_id_"] > 0
    assert len(found.sections["indexes"]) == 5
    assert "the sizes of 3 smaller collections" in {item.what for item in found.not_examined}


def test_the_profilers_own_filter_stands_there_without_its_values(url: str, mongo_db: Any) -> None:
    mongo_db.command({"profile": 0, "filter": {"command.comment": "SECRET"}})
    with connect(url) as client:
        (row,) = read_settings(Asker(client, url, 5000), [mongo_db.name])
    assert "command.comment" in row["filter"] and "?" in row["filter"] and "SECRET" not in row["filter"]


def test_who_has_no_role_is_told_the_right_for_each_section(url: str, mongo_db: Any) -> None:
    with connect(url) as client:
        ask = Asker(client, url, 5000)
        reading = monitor._Reading(ask, ReadOptions())
        ask.notes.add("profiles", "the role X")
        reading._tell_missing()
    found = {item.what: item.needs for item in ask.notes.found.values()}
    assert found["slow"] == "the role X" and found["indexes"] == "the role clusterMonitor"
