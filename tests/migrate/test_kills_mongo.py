"""Runners that are killed, paused, or twenty at once; and a server that is killed while it builds an index."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.catalog import indexes
from dbtrust.engine.mongo.server import MongoServer, start_mongo
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import await_true
from dbtrust.migrate.runner_mongo import MongoRunner
from dbtrust.source.migrations import read_history

SCRIPT = Path(__file__).with_name("mongo_kills.py")
HEAD = "from dbtrust.migrations import *\n"
#: Every kind of step, each with a way back; the updates are not idempotent.
HISTORY = {
    "0001_a.py": """
def fill(db): db.c.insert_many([{'_id': i, 'x': i + 1} for i in range(10)])
def full(db): return db.c.count_documents({}) == 10
steps = [
    create_collection('c', validator={'x': {'$gt': 0}}),
    create_index('c', 'x', name='ix', unique=True),
    step('fill', apply=fill, revert=lambda db: db.c.delete_many({}), probe=full),
    create_index('fresh', 'a', name='fa'),
]""",
    "0002_b.py": """
steps = [
    update_in_batches('c', {'x': {'$lt': 50}}, {'$inc': {'x': 100}}, size=4, revert={'$inc': {'x': -100}}),
    update_in_batches('c', {}, {'$inc': {'y': 1}}, size=6, revert=({}, {'$inc': {'y': -1}})),
]
verify = [lambda db: db.c.count_documents({'x': {'$gt': 100}}) == 10]""",
    "0003_c.py": """
steps = [
    set_validator('c', {'x': {'$gt': -5}}, level='moderate'),
    drop_index('c', 'ix'),
    rename_collection('c', 'e'),
    create_collection('gone', validator={'z': {'$gt': 0}}),
    create_index('gone', 'z', name='gz'),
]""",
    "0004_d.py": "steps = [drop_collection('gone')]",
}


def folder(root: Path, files: dict[str, str]) -> Path:
    (root / "m").mkdir()
    for name, text in files.items():
        (root / "m" / name).write_text(HEAD + text)
    return root


def run(url: str, root: Path, *mode: str) -> Any:
    done = subprocess.run(
        [sys.executable, SCRIPT, url, root, *mode], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("mode", "least"), [("up", 4), ("down", 3), ("updown", 2)])
def test_a_runner_killed_before_any_command_leaves_what_the_next_one_finishes(
    mongo_url: str, tmp_path: Path, mode: str, least: int
) -> None:
    """A few of the commands here; `python tests/migrate/mongo_kills.py URL FOLDER up 1 1` kills before each."""
    number, reference, bad = run(
        mongo_url, folder(tmp_path, HISTORY), mode, "7", {"up": "13", "down": "11", "updown": "19"}[mode]
    )
    assert bad == []
    assert reference.startswith("Catalog(")
    assert number >= least


def test_twenty_runners_at_once_apply_once_and_all_succeed(
    mongo_url: str, mongo_db: Any, tmp_path: Path
) -> None:
    files = {f"{n:04d}_x.py": f"def up(db):\n    db.c.insert_one({{'n': {n}}})" for n in range(1, 4)}
    said, _ = run(with_database(mongo_url, mongo_db.name), folder(tmp_path, files), "race")
    assert said == [None] * 20
    assert sorted(d["n"] for d in mongo_db.c.find()) == [1, 2, 3]


def test_a_runner_paused_past_its_lease_loses_by_the_token(
    mongo_url: str, mongo_db: Any, tmp_path: Path
) -> None:
    pause = """
import os, signal
def work(db):
    db.c.insert_one({})
    if db.c.count_documents({}) == 1: os.kill(os.getpid(), signal.SIGSTOP)
steps = [step('pause', apply=work, probe=lambda db: db.c.count_documents({}) > 0), create_collection('behind')]
"""
    url = with_database(mongo_url, mongo_db.name)
    first, second, unchanged = run(url, folder(tmp_path, {"0001_x.py": pause}), "paused")
    assert first.startswith("MigrationStopped: another runner took over")
    assert second is None
    assert unchanged
    assert mongo_db.c.count_documents({}) == 1
    assert mongo_db.dbtrust_migration.find_one({"_id": "1"})["token"] == 2


def kill_while_building(server: MongoServer, db: Any) -> None:
    assert await_true(lambda: any(spec.get("building") for spec in indexes(db, "c")), 60), "no build was seen"
    assert server._process is not None
    server._process.kill()
    server._process.wait()
    server.launch(server.port)


def test_a_server_killed_while_it_builds_an_index(tmp_path: Path) -> None:
    """The runner waits for the server, finds the build that went on by itself, and ends."""
    root = folder(
        tmp_path, {"0001_x.py": "steps = [create_index('c', [('a', 1), ('b', 1), ('t', 1)], name='ca')]"}
    )
    with Run() as opened:
        server = start_mongo(opened, find_mongod("8.0"))
        one = MongoRunner(server.url("d"), root=root)
        db = one._client["d"]
        db.c.insert_many([{"a": n * 7919 % 10007, "b": n, "t": "x" * 50} for n in range(60_000)])
        killer = threading.Thread(target=kill_while_building, args=(server, db))
        killer.start()
        said: list[str] = []
        with one.locked(said.append):
            one.up(read_history(root, "m").migrations[0], None, said.append)
        killer.join()
        assert one.entries()[1].state == "done"
        assert [s.get("building") for s in indexes(db, "c")] == [None, None]
        assert any("trying again" in line for line in said)
        one.close()
