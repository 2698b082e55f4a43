"""Faults made on a real server, and what a diagnostic says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust.engine.home import private_folder
from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.monitor import read_snapshot
from dbtrust.engine.mongo.server import free_port
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.processes import read_log
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import await_true, ended_or
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import ReadOptions, Snapshot
from dbtrust.monitor.rule import Rule

Diagnose = Callable[..., list[Finding]]


def judged(rule: Rule, now: Snapshot, earlier: Snapshot | None = None) -> list[Finding]:
    """What a rule finds, once it has been seen that its sections are there."""
    assert [name for name in rule.needs if name not in now.sections] == [], now.not_examined
    return list(rule.decide(now, earlier))


@pytest.fixture
def look(mongo_url: str, mongo_db: Any) -> Callable[..., Snapshot]:
    """A snapshot of the test's database; the profiler is left alone."""

    def read(**options: Any) -> Snapshot:
        url = with_database(mongo_url, mongo_db.name)
        return read_snapshot(url, ReadOptions(**{"profiler": False, **options}))

    return read


@pytest.fixture
def diagnose(look: Callable[..., Snapshot]) -> Diagnose:
    """The findings of one rule for the test's database."""

    def run(rule: Rule, **options: Any) -> list[Finding]:
        return judged(rule, look(**options))

    return run


def aged(now: Snapshot, days: float) -> Snapshot:
    """The same, had it been taken so much later."""
    taken = datetime.fromisoformat(now.taken_at) + timedelta(days=days)
    return replace(now, taken_at=taken.isoformat())


@pytest.fixture
def slowly(mongo_db: Any) -> Iterator[Callable[..., str]]:
    """A filter's part that takes so many milliseconds for each document it is asked about."""
    yield lambda ms=1: f"sleep({ms}) || true"


@dataclass(frozen=True)
class Three:
    """A replica set of three members without authorization on the loopback interface."""

    ports: tuple[int, int, int]

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.ports[0]}/?replicaSet=rs3"

    def member(self, number: int) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient("127.0.0.1", self.ports[number], directConnection=True)

    def look(self, **options: Any) -> Snapshot:
        return read_snapshot(self.url, ReadOptions(**{"profiler": False, "sample_docs": 0, **options}))

    def reconfigure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """The set's configuration, changed."""
        with self.member(0) as client:
            config = client.admin.command("replSetGetConfig")["config"]
            change(config)
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)


def start_plain(run: Run, *more: str) -> int:
    """A mongod without authorization; its port."""
    folder = run.add("m")
    private_folder(folder / "data")
    port, log = free_port(), folder / "log"
    argv: list[str | Path] = [
        find_mongod("8.0").path, "--dbpath", folder / "data", "--port", str(port), "--nounixsocket",
        "--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--wiredTigerEngineConfigString", "log=(file_max=4MB,prealloc=false)", *more,
    ]  # fmt: skip
    process = run.spawn(argv, folder=folder, log=log)
    assert ended_or(process, lambda: "Waiting for connections" in read_log(log, 0), 60), read_log(log, 0)
    return port


@pytest.fixture(scope="session")
def three(server_run: Run) -> Three:
    """Ten megabytes of oplog, 80 connections for each member."""
    options = ("--replSet", "rs3", "--bind_ip", "127.0.0.1", "--oplogSize", "10", "--maxConns", "80")
    ports = tuple(start_plain(server_run, *options) for _ in range(3))
    found = Three((ports[0], ports[1], ports[2]))
    quick = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 250}
    members = [{"_id": n, "host": f"127.0.0.1:{port}"} for n, port in enumerate(ports)]
    with found.member(0) as client:
        config = {"_id": "rs3", "members": members[:1], "settings": quick}
        client.admin.command("replSetInitiate", config)
        assert await_true(lambda: client.admin.command("hello")["isWritablePrimary"], 60)
    for number in (1, 2):
        member = {**members[number], "priority": 0}
        found.reconfigure(lambda config, member=member: config["members"].append(member))
    with found.member(0) as client:

        def complete() -> bool:
            states = client.admin.command("replSetGetStatus")["members"]
            return [m["stateStr"] for m in states] == ["PRIMARY", "SECONDARY", "SECONDARY"]

        assert await_true(complete, 60)
    return found
