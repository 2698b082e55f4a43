"""Kills a runner before each command that it sends, lets another one finish, and compares. Run by test_kills_mongo.

    python mongo_kills.py URL FOLDER up|down|updown FIRST STEP

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


def forked(work: Callable[[], Any]) -> tuple[bool, str]:
    """Runs in a child: whether it was killed, and what it gave as text."""
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
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status), json.loads(text) if text else ""


def kill_in(move: Callable[[str, Path], None], at: int, url: str, root: Path) -> Callable[[], int]:
    def work() -> int:
        killer = Killer(at)
        monitoring.register(killer)
        move(url, root)
        return killer.count

    return work


def main() -> None:
    base, folder, mode, first, step = sys.argv[1:6]
    root, base_url = Path(folder), base

    def fresh(name: str) -> str:
        url = with_database(base_url, f"{mode}_{os.getpid()}_{name}")
        return url

    def look(url: str) -> str:
        said = state(url)
        return said

    def drop(url: str) -> None:
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            client.drop_database(client.get_default_database().name)

    url = fresh("reference")
    reference = forked(lambda: (up(url, root), look(url))[1])[1]
    assert not reference.startswith(("Mig", "Ser", "Dri")), reference
    if mode == "down":
        reference = forked(lambda: (down(url, root), look(url))[1])[1]
    forked(lambda: drop(url))
    killed_count, bad = 0, 0
    for at in range(int(first), 500, int(step)):
        url = fresh(str(at))
        if mode != "up":
            forked(lambda url=url: up(url, root))
        killed, said = forked(kill_in(up if mode == "up" else down, at, url, root))
        finish = down if mode == "down" else up
        after = forked(lambda url=url, finish=finish: (finish(url, root), look(url))[1])[1]
        forked(lambda url=url: drop(url))
        killed_count += killed
        if after != reference:
            bad += 1
            print(f"{mode} killed before command {at}:\n  {after}\n  {reference}")
        if not killed:
            print(f"{killed_count} kills, {said} commands")
            break
    print("bad", bad)


main()
