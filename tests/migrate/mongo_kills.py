"""Kills a runner before each command that it sends, lets another one finish, and compares. Run by test_kills_mongo.

    python mongo_kills.py URL FOLDER up|down|updown FIRST STEP
    python mongo_kills.py URL FOLDER race|paused

Each runner is a fork, so that nothing is imported twice; this process itself never opens a client.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
from bson import json_util
from pymongo import monitoring

from dbtrust.engine.mongo import lease
from dbtrust.engine.mongo.catalog import LEDGER, snapshot
from dbtrust.engine.mongo.urls import with_database
from dbtrust.migrate import work_mongo  # noqa: F401
from dbtrust.migrate.runner_mongo import MongoRunner
from dbtrust.model.progress import silent
from dbtrust.source.migrations import read_history


class Killer(monitoring.CommandListener):
    """Kills its own process when the `at`-th command is about to be sent; 0: never. Counts."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0

    def started(self, event: Any) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def runner(url: str, root: Path) -> MongoRunner:
    return MongoRunner(url, root=root, lock_wait=30)


def up(url: str, root: Path) -> None:
    one = runner(url, root)
    with one.locked(silent):
        known = one.entries()
        for migration in read_history(root, "m").migrations:
            entry = known.get(int(migration.number))
            if entry is None or entry.state != "done":
                one.up(migration, entry, silent)
    one.close()


def down(url: str, root: Path) -> None:
    one = runner(url, root)
    with one.locked(silent):
        known = one.entries()
        for migration in reversed(read_history(root, "m").migrations):
            if (entry := known.get(int(migration.number))) is not None:
                one.down(migration, entry, silent)
    one.close()


def state(url: str) -> str:
    """The catalog and every document, without what only the ledger knows."""
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        names = sorted(n for n in db.list_collection_names() if n != LEDGER)
        documents = {name: list(db[name].find().sort("_id", 1)) for name in names}
        states = [
            (d["_id"], d["state"])
            for d in db[LEDGER].find({"kind": {"$in": ["migration", "step"]}}).sort("_id", 1)
        ]
    return repr(snapshot_of(url)) + json_util.dumps(documents) + repr(states)


def snapshot_of(url: str) -> Any:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return snapshot(client.get_default_database())


def launched(work: Callable[[], Any]) -> tuple[int, int]:
    """Starts a child; its process and the pipe that its answer comes through."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            said = work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, json.dumps(said).encode()[:60_000])
        os._exit(0)
    os.close(writer)
    return pid, reader


def ended(child: tuple[int, int]) -> tuple[bool, Any]:
    """Whether the child was killed, and what it gave."""
    with os.fdopen(child[1], "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(child[0], 0)
    return os.WIFSIGNALED(status), json.loads(text) if text else ""


def forked(work: Callable[[], Any]) -> tuple[bool, Any]:
    return ended(launched(work))


def race(url: str, root: Path) -> None:
    """Twenty runners at once: what each raised, and the state."""
    children = [launched(lambda: up(url, root)) for _ in range(20)]
    print(json.dumps([[ended(child)[1] for child in children], forked(lambda: state(url))[1]]))


def paused(url: str, root: Path) -> None:
    """A runner that stops itself in a migration, past its lease; another one takes over; the first goes on."""
    lease.SECONDS = 1.0
    first = launched(lambda: up(url, root))
    os.waitpid(first[0], os.WUNTRACED)
    second = forked(lambda: up(url, root))[1]
    before = forked(lambda: state(url))[1]
    os.kill(first[0], signal.SIGCONT)
    said = ended(first)[1]
    print(json.dumps([said, second, before == forked(lambda: state(url))[1]]))


def kill_in(move: Callable[[str, Path], None], at: int, url: str, root: Path) -> Callable[[], int]:
    def work() -> int:
        killer = Killer(at)
        monitoring.register(killer)
        move(url, root)
        return killer.count

    return work


def drop(url: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.drop_database(client.get_default_database().name)


def kills(base: str, root: Path, mode: str, first: int, step: int) -> None:
    """A kill before every `step`-th command from `first` on, until a runner ends by itself."""

    def fresh(at: int) -> str:
        return with_database(base, f"{mode}_{os.getpid()}_{at}")

    moves = {"up": (up, up), "down": (down, down), "updown": (down, up)}
    killed_in, finish = moves[mode]

    def prepared(url: str) -> None:
        if mode != "up":
            up(url, root)

    reference = forked(lambda: (prepared(fresh(0)), finish(fresh(0), root), state(fresh(0)))[2])[1]
    forked(lambda: drop(fresh(0)))
    number, bad = 0, list[str]()
    for at in range(first, 500, step):
        url = fresh(at)
        forked(lambda url=url: prepared(url))
        killed, _ = forked(kill_in(killed_in, at, url, root))
        after = forked(lambda url=url: (finish(url, root), state(url))[1])[1]
        forked(lambda url=url: drop(url))
        number += killed
        if after != reference:
            bad.append(f"{mode} killed before command {at}:\n  {after}\n  {reference}")
        if not killed:
            break
    print(json.dumps([number, reference[:20], bad]))


def main() -> None:
    base, folder, mode = sys.argv[1:4]
    if mode in ("race", "paused"):
        {"race": race, "paused": paused}[mode](base, Path(folder))
    else:
        kills(base, Path(folder), mode, int(sys.argv[4]), int(sys.argv[5]))


main()
