"""Methods and proofs that never end are stopped and unproved; Ctrl-C in the middle of one ends the run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pymongo
import pytest

from dbtrust import check

CONFIG = """
[project]
name = "p"
python = ["."]
[mongo]
collections = ["endless_of_p:things"]
queries = ["endless_of_p:Things", "endless_of_p:AsyncThings"]
proofs = ["proofs_of_p"]
"""
STORE = """
import asyncio

from pydantic import BaseModel
from pymongo import CursorType

from dbtrust import AsyncMongoQueries, Collection, MongoQueries, claim


class Thing(BaseModel):
    n: int


things = Collection("things", Thing)


class Things(MongoQueries):
    @claim("no sort")
    def watched(self):
        return self.db.things.watch()

    @claim("no sort")
    def inside(self):
        with self.db.things.watch() as stream:
            return [change for change in stream]

    @claim("no sort")
    def tailed(self):
        self.db.drop_collection("log")
        log = self.db.create_collection("log", capped=True, size=10_000)
        log.insert_one({"n": 1})
        found = log.find(cursor_type=CursorType.TAILABLE_AWAIT)
        while found.alive:
            list(found)

    @claim("no sort")
    def counted(self):
        while True:
            yield self.db.things.find_one({"n": 1})

    @claim("no collection scan")
    def quick(self):
        return list(self.db.things.find({"_id": 1}))


class AsyncThings(AsyncMongoQueries):
    @claim("no sort")
    async def watched(self):
        return [change async for change in await self.db.things.watch()]

    @claim("no sort")
    async def waits(self):
        await self.db.things.find_one({"n": 1})
        await asyncio.sleep(1000)
"""
PROOFS = """
from dbtrust import proof


@proof("true")
def never(db):
    return next(db.things.watch())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("dbtrust.toml", CONFIG), ("endless_of_p.py", STORE), ("proofs_of_p.py", PROOFS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_what_never_ends_is_unproved(folder: Path, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dbtrust.engine.mongo.limits.SECONDS", 1.5)
    report = check(folder, only=["query.prepares", "claim.", "proof."], mongo=mongo_url)
    assert not report.errors, report.errors
    found = {(v.check, v.subject): (v.verdict, v.reason) for v in report.verdicts}
    endless = [f"query:Things.{name}" for name in ("watched", "inside", "tailed", "counted")]
    endless += ["query:AsyncThings.watched", "query:AsyncThings.waits"]
    late = ("unproved", "timeout")
    assert found == {
        **{(word, subject): late for subject in endless for word in ("query.prepares", "claim.no_sort")},
        ("query.prepares", "query:Things.quick"): ("holds", ""),
        ("claim.no_collection_scan", "query:Things.quick"): ("holds", ""),
        ("proof.true", "proof:never"): late,
    }
    assert "it did not end within 1.5 seconds" in next(v.message for v in report.verdicts if v.reason)


@pytest.mark.parametrize("where", ["embedded", "named"])
def test_ctrl_c_ends_a_method_that_waits(folder: Path, mongo_url: str, where: str) -> None:
    name, head = f"waiting_{where}", STORE.partition("    @claim")[0]
    body = f"open({name!r}, 'w').close(); return self.db.things.watch()"
    methods = [f"    @claim('no sort')\n    def m{n}(self):\n        {body}\n" for n in range(3)]
    (folder / "endless_of_p.py").write_text(head + "\n".join(methods), encoding="utf-8")
    config = CONFIG.replace(', "endless_of_p:AsyncThings"', "").replace('proofs = ["proofs_of_p"]', "")
    (folder / "dbtrust.toml").write_text(config, encoding="utf-8")
    command = [sys.executable, "-m", "dbtrust", "check", str(folder), "--only", "claim."]
    command += ["--mongo", mongo_url] if where == "named" else []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while not (folder / name).exists() and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    # Each of the three methods would wait for 15 seconds.
    assert running.returncode == 4, err
    assert b"Traceback" not in err
    with pymongo.MongoClient(mongo_url) as client:
        mine = [n for n in client.list_database_names() if n.startswith("dbtrust_")]
    assert where == "embedded" or not mine
