"""What killed runs leave on a server of the user's: swept by the next run, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.scratch import AGE, machine, mark, marker_name, started, sweep

Client = pymongo.MongoClient[dict[str, Any]]
NOW = datetime.now(UTC)


@pytest.fixture
def client(mongo_url: str) -> Iterator[Client]:
    with connect(mongo_url) as opened:
        yield opened
        for name in opened.list_database_names():
            if name.startswith("dbtrust_00000"):
                opened.drop_database(name)


def _gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    return ended.pid


@pytest.mark.parametrize(
    ("changed", "swept"),
    [
        pytest.param({}, False, id="this process"),
        pytest.param({"started": 1}, True, id="its number came again"),
        pytest.param({"pid": 1, "started": started(1)}, False, id="the process of another user or ours"),
        pytest.param({"pid": "gone"}, True, id="a process that ended"),
        pytest.param({"machine": "other", "at": NOW}, False, id="another machine, now"),
        pytest.param({"machine": "other", "at": NOW - AGE + timedelta(hours=1)}, False, id="not old enough"),
        pytest.param({"machine": "other", "at": NOW - AGE * 2}, True, id="another machine, long ago"),
        pytest.param({"machine": "other", "at": None}, False, id="without a time"),
        pytest.param({"pid": None}, False, id="without a process"),
    ],
)
def test_whose_databases_are_dropped(client: Client, changed: dict[str, Any], swept: bool) -> None:
    run = "0000000a"
    mark(client, run)
    if changed.get("pid") == "gone":
        changed = {"pid": _gone()}
    client[marker_name(run)].run.update_one({}, {"$set": changed})
    client[f"dbtrust_{run}_data_1"].c.insert_one({})
    client["dbtrust_0000000b_data_1"].c.insert_one({})  # nobody's: it stays
    sweep(client)
    names = set(client.list_database_names())
    assert (f"dbtrust_{run}_data_1" not in names) == swept
    assert (marker_name(run) not in names) == swept
    assert "dbtrust_0000000b_data_1" in names


def test_the_machine_is_the_same_for_every_process() -> None:
    code = "from dbtrust.engine.mongo.scratch import machine; print(machine())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == machine()
    assert started(os.getpid()) == started(os.getpid())


CONFIG = '[project]\nname = "p"\npython = ["."]\n[mongo]\nqueries = ["scratch_of_p:Q"]\n'
STORE = """
import pathlib, time
from dbtrust import MongoQueries, claim


class Q(MongoQueries):
    @claim("no sort")
    def slow(self):
        self.db.c.insert_one({"n": 1})
        pathlib.Path(__file__).with_name("reached").touch()
        time.sleep(FOR)
        return self.db.c.find_one({})
"""


def _project(folder: Path, seconds: float) -> list[str]:
    folder.mkdir()
    (folder / "dbtrust.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "scratch_of_p.py").write_text(STORE.replace("FOR", str(seconds)), encoding="utf-8")
    return [sys.executable, "-m", "dbtrust", "check", str(folder), "--only", "claim.", "--fail-on", "never"]


def test_a_killed_run_is_swept_by_the_next_and_a_living_one_is_not(tmp_path: Path, mongo_url: str) -> None:
    slow, quick = _project(tmp_path / "slow", 100), _project(tmp_path / "quick", 0)
    environment = {**os.environ, "DBTRUST_MONGO": mongo_url}

    def left() -> set[str]:
        with connect(mongo_url) as client:
            return {name for name in client.list_database_names() if name.startswith("dbtrust_")}

    with subprocess.Popen(slow, env=environment, stdout=subprocess.DEVNULL) as running:
        try:
            while not (tmp_path / "slow/reached").exists() and running.poll() is None:
                time.sleep(0.05)
            during = left()
            assert any("_copy_" in name for name in during)
            subprocess.run(quick, env=environment, check=True, stdout=subprocess.DEVNULL)
            assert left() == during
        finally:
            running.kill()
    assert left() == during
    subprocess.run(quick, env=environment, check=True, stdout=subprocess.DEVNULL)
    assert left() == set()
