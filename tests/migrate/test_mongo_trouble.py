"""MongoDB's runner in trouble: replies that are lost, a primary that steps down, signals, no transactions, other hosts."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.client_session import ClientSession

from dbtrust.engine.mongo import lease
from dbtrust.engine.mongo.binaries import find_mongod
from dbtrust.engine.mongo.catalog import indexes
from dbtrust.engine.mongo.ledger import Ledger
from dbtrust.engine.mongo.server import MongoServer, free_port, start_mongo
from dbtrust.engine.mongo.urls import with_database
from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import await_true
from dbtrust.migrate.runner import MigrationStopped
from dbtrust.migrate.runner_mongo import MongoRunner
from dbtrust.model.progress import silent
from dbtrust.source.migrations import read_history

CONFIG = '[project]\nname = "t"\n[mongo]\n[migrations]\nfolder = "m"\n'
HEAD = "from dbtrust.migrations import *\n"
#: Every step shows whether it was done twice: the update counts, the others would fail.
MIXED = (
    "steps = [create_collection('a'), create_index('c', 'n', name='by_n'), rename_collection('a', 'b'),"
    " update_in_batches('c', {}, {'$inc': {'n': 1}}, size=2, revert={'$inc': {'n': -1}}),"
    " set_validator('b', {'x': {'$gt': 0}}), drop_index('c', 'by_n')]"
)


class WithTestCommands(Run):
    """Starts its servers so that they can be told to lose replies."""

    def spawn(self, argv: Sequence[str | Path], **rest: Any) -> subprocess.Popen[bytes]:
        return super().spawn([*argv, "--setParameter", "enableTestCommands=1"], **rest)


@pytest.fixture(scope="module")
def faulty() -> Iterator[MongoServer]:
    """A server that can be told to lose replies."""
    with WithTestCommands() as run:
        yield start_mongo(run, find_mongod("8.0"))


@pytest.fixture
def single() -> Iterator[str]:
    """The URL of a database on a server without a replica set."""
    with Run() as run:
        folder, port = run.add("s"), free_port()
        words = ["--dbpath", folder, "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket"]
        run.spawn([find_mongod("8.0").path, *words], folder=folder, log=folder / "log")
        yield f"mongodb://127.0.0.1:{port}/d"


def project(root: Path, text: str) -> Path:
    (root / "m").mkdir(parents=True)
    (root / "m" / "0001_x.py").write_text(HEAD + text)
    (root / "dbtrust.toml").write_text(CONFIG)
    return root


def both_ways(url: str, root: Path) -> tuple[Any, Any]:
    """Up and down; what the collection c and the list of collections were in between, and afterwards."""
    (migration,) = read_history(root, "m").migrations
    one = MongoRunner(url, root=root)
    db = one._client[one._db.name]

    def look() -> Any:
        kept = sorted(name for name in db.list_collection_names() if name != "dbtrust_migration")
        return kept, [d["n"] for d in db.c.find().sort("_id", 1)], sorted(db.c.index_information())

    with one.locked(silent):
        entry = one.up(migration, None, silent)
        between = look()
        one.down(migration, entry, silent)
    after = look()
    one.close()
    return between, after


COMMANDS = (
    "create",
    "createIndexes",
    "renameCollection",
    "collMod",
    "dropIndexes",
    "drop",
    "commitTransaction",
    "update",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_took_effect_although_its_reply_was_lost_is_not_done_twice(
    faulty: MongoServer, tmp_path: Path, command: str
) -> None:
    """The fail point runs the command, and answers that the server is going down."""
    url = faulty.url(f"t_{uuid.uuid4().hex[:8]}")
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        db.c.insert_many([{"_id": i, "n": i} for i in range(5)])
        client.admin.command(lost_reply(command))
        between, after = both_ways(url, project(tmp_path, MIXED))
        assert client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})["count"] >= 1
    assert between == (["b", "c"], [1, 2, 3, 4, 5], ["_id_"])
    assert after == (["c"], [0, 1, 2, 3, 4], ["_id_"])


def lost_reply(command: str) -> dict[str, Any]:
    lost = {"code": 91, "codeName": "ShutdownInProgress", "errmsg": "the reply was lost"}
    return {
        "configureFailPoint": "failCommand",
        "mode": {"times": 1},
        "data": {"failCommands": [command], "writeConcernError": lost},
    }


@pytest.mark.parametrize("command", ["createIndexes", "create", "update", "listIndexes"])
def test_a_server_that_has_just_come_back_is_waited_for(
    faulty: MongoServer, tmp_path: Path, command: str
) -> None:
    """For a moment after its start it cannot check the cluster's time that a client has seen: KeyNotFound."""
    url = faulty.url(f"t_{uuid.uuid4().hex[:8]}")
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.get_default_database().c.insert_many([{"_id": i, "n": i} for i in range(5)])
        data = {"failCommands": [command], "errorCode": 211}
        client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": data})
        between, after = both_ways(url, project(tmp_path, MIXED))
        assert client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})["count"] >= 1
    assert between == (["b", "c"], [1, 2, 3, 4, 5], ["_id_"])
    assert after == (["c"], [0, 1, 2, 3, 4], ["_id_"])


def test_a_primary_that_steps_down_is_waited_for(faulty: MongoServer, tmp_path: Path) -> None:
    """The only node steps down in each of the steps and is elected again."""
    text = (
        "import pymongo\nfrom pymongo.errors import AutoReconnect\n"
        "def down_now(db):\n"
        "    try: db.client.admin.command({'replSetStepDown': 1, 'force': True})\n"
        "    except AutoReconnect: pass\n"
        "def asked(db): return False\n"
        "steps = [create_collection('a'), step('one', apply=down_now, probe=asked, revert=down_now),"
        " update_in_batches('c', {}, {'$inc': {'n': 1}}, size=2, revert={'$inc': {'n': -1}}),"
        " step('two', apply=down_now, probe=asked, revert=down_now), create_index('c', 'n', name='by_n')]"
    )
    url = faulty.url(f"t_{uuid.uuid4().hex[:8]}")
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        client.get_default_database().c.insert_many([{"_id": i, "n": i} for i in range(5)])
    between, after = both_ways(url, project(tmp_path, text))
    assert between == (["a", "c"], [1, 2, 3, 4, 5], ["_id_", "by_n"])
    assert after == (["c"], [0, 1, 2, 3, 4], ["_id_"])


def test_a_single_server_has_no_transactions_and_the_ledger_says_what_that_means(
    single: str, tmp_path: Path
) -> None:
    """An interrupted $set goes on; an interrupted $inc may have run twice over a batch, so a person is asked."""
    steps = "steps = [update_in_batches('c', {}, {'%s': {'n': 1}}, size=2, revert={'$set': {'n': 0}})]"
    with pymongo.MongoClient[dict[str, Any]](single) as client:
        db = client.get_default_database()
        for update, at_least_once in (("$set", False), ("$inc", True)):
            client.drop_database("d")
            db.c.insert_many([{"_id": i, "n": 0} for i in range(5)])
            root = project(tmp_path / update, steps % update)
            (migration,) = read_history(root, "m").migrations
            one, ledger = MongoRunner(single, root=root), db.dbtrust_migration
            with one.locked(silent):
                one.up(migration, None, silent)
            assert [d["n"] for d in db.c.find()] == [1] * 5
            assert ledger.find_one({"_id": "1/1"})["at_least_once"] is at_least_once
            ledger.update_many({"_id": {"$in": ["1", "1/1"]}}, {"$set": {"state": "running"}})
            with one.locked(silent):
                again = one.entries()[1]
                if at_least_once:
                    with pytest.raises(MigrationStopped, match="was running when a run ended"):
                        one.up(migration, again, silent)
                else:
                    one.down(migration, one.up(migration, again, silent), silent)
                    assert [d["n"] for d in db.c.find()] == [0] * 5
            one.close()


def test_a_holder_on_another_host_is_waited_for_until_its_lease_is_over(
    mongo_url: str, mongo_db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS", 1.0)
    url = with_database(mongo_url, mongo_db.name)
    root = project(tmp_path, "steps = [create_collection('a')]")
    dead = Ledger(mongo_db)
    assert dead.take("f" * 16) is None
    elsewhere = {"host": "elsewhere", "machine": "elsewhere 1", "pid": 1}
    mongo_db.dbtrust_migration.update_one({"_id": "lease"}, {"$set": elsewhere})
    one, said = MongoRunner(url, root=root), list[str]()
    with one.locked(said.append):
        one.up(read_history(root, "m").migrations[0], None, said.append)
    one.close()
    assert any("waiting for another runner" in line and "elsewhere" in line for line in said)
    assert any("has not renewed its lease: taking over" in line for line in said)


def test_ddl_is_not_sent_under_a_lease_that_is_over(
    mongo_url: str, mongo_db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the write to the ledger and the command, this runner stands still and another one takes over."""
    root = project(tmp_path, "steps = [create_collection('a')]")
    one = MongoRunner(with_database(mongo_url, mongo_db.name), root=root)
    with pytest.raises(MigrationStopped, match="another runner took over"), one.locked(silent):
        tools, sent = one._tools, one._ledger.write

        def slept(*documents: Any) -> None:
            sent(*documents)
            other = {"token": 99, "run": "other", "who": "other"}
            mongo_db.dbtrust_migration.update_one({"_id": "lease"}, {"$set": other})
            monkeypatch.setattr(lease, "SECONDS", 0.0)

        monkeypatch.setattr(tools.ledger, "write", slept)
        one.up(read_history(root, "m").migrations[0], None, silent)
    one.close()
    assert mongo_db.list_collection_names() == ["dbtrust_migration"]


def test_sigterm_ends_an_index_build_and_the_next_up_finishes(faulty: MongoServer, tmp_path: Path) -> None:
    """The build hangs at a fail point of the server until the runner has been told to stop."""
    url = faulty.url(f"t_{uuid.uuid4().hex[:8]}")
    root = project(tmp_path, "steps = [create_index('c', 'n', name='by_n')]")
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        db.c.insert_many([{"n": n} for n in range(100)])
        hang = {"configureFailPoint": "hangAfterStartingIndexBuild", "mode": "alwaysOn"}
        client.admin.command(hang)
        try:
            program = runs("up", root, url)
            assert await_true(lambda: any(spec.get("building") for spec in indexes(db, "c")), 60)
            program.send_signal(signal.SIGTERM)
        finally:
            client.admin.command(hang | {"mode": "off"})
        out, err = program.communicate(timeout=60)
        assert program.returncode == 4, (out, err)
        assert "interrupted while 0001 was being applied" in err
        again = runs("up", root, url)
        out, err = again.communicate(timeout=60)
        assert again.returncode == 0, (out, err)
        assert [spec["name"] for spec in indexes(db, "c") if not spec.get("building")] == ["_id_", "by_n"]


def test_ctrl_c_between_batches_loses_and_repeats_nothing(
    mongo_url: str, mongo_db: Any, tmp_path: Path
) -> None:
    text = "steps = [update_in_batches('c', {}, {'$inc': {'n': 1}}, size=1, revert={'$inc': {'n': -1}})]"
    root, url = project(tmp_path, text), with_database(mongo_url, mongo_db.name)
    mongo_db.c.insert_many([{"_id": i, "n": 0} for i in range(150)])
    program = runs("up", root, url)
    assert await_true(lambda: mongo_db.c.count_documents({"n": 1}) > 5, 60)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert program.returncode == 4, (out, err)
    assert 5 < mongo_db.c.count_documents({"n": 1}) < 150
    again = runs("up", root, url)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, (out, err)
    assert mongo_db.c.count_documents({"n": 1}) == 150


def test_ctrl_c_within_a_commit_leaves_no_transaction_that_holds_the_lease(
    mongo_url: str, mongo_db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has not heard of the commit, and the driver takes it for done."""
    text = "steps = [update_in_batches('c', {}, {'$inc': {'n': 1}}, size=1, revert={'$inc': {'n': -1}})]"
    root = project(tmp_path, text)
    mongo_db.c.insert_many([{"_id": i, "n": 0} for i in range(3)])
    one, given = MongoRunner(with_database(mongo_url, mongo_db.name), root=root), Ledger.give_back
    held: list[int] = []

    def interrupted(session: Any, name: str) -> None:
        held.append(len(open_transactions(mongo_db)))
        raise KeyboardInterrupt

    def watched(ledger: Ledger) -> None:
        held.append(len(open_transactions(mongo_db)))
        given(ledger)

    monkeypatch.setattr(ClientSession, "_finish_transaction_with_retry", interrupted)
    monkeypatch.setattr(Ledger, "give_back", watched)
    # Who runs migrations tells of the interrupt, and leaves as always.
    with one.locked(silent), pytest.raises(KeyboardInterrupt):
        one.up(read_history(root, "m").migrations[0], None, silent)
    one.close()
    assert held == [1, 0]
    assert mongo_db.c.count_documents({"n": 1}) == 0


def open_transactions(db: Any) -> list[Any]:
    stages = [
        {"$currentOp": {"idleSessions": True}},
        {"$match": {"transaction": {"$exists": True}, "appName": {"$regex": "^dbtrust "}}},
    ]
    return list(db.client.admin.aggregate(stages))


def runs(verb: str, root: Path, url: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "dbtrust", "migrate", verb, str(root), "--mongo", url]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
