"""MongoDB's runner: what it does to a database, what it writes down, and what it says when it stops."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from dbtrust.engine.mongo.catalog import LEDGER, snapshot
from dbtrust.engine.mongo.urls import with_database
from dbtrust.migrate.runner import MigrationStopped
from dbtrust.migrate.runner_mongo import MongoRunner
from dbtrust.model.errors import ServerError
from dbtrust.model.ledger import Entry
from dbtrust.model.progress import silent
from dbtrust.model.project import Migration
from dbtrust.source.migrations import read_history

HEAD = "from dbtrust.migrations import *\n"


class Place:
    """A folder of migrations and a database to run them on."""

    def __init__(self, url: str, db: Any, root: Path) -> None:
        self.url, self.db, self.root = with_database(url, db.name), db, root
        (root / "m").mkdir()
        self.said: list[str] = []

    def write(self, number: int, text: str) -> Migration:
        (self.root / "m" / f"{number:04d}_x.py").write_text(HEAD + text)
        return next(m for m in read_history(self.root, "m").migrations if int(m.number) == number)

    def runner(self, **options: Any) -> MongoRunner:
        return MongoRunner(self.url, root=self.root, **options)

    def up(self, *migrations: Migration) -> dict[int, Entry]:
        one = self.runner()
        try:
            with one.locked(self.said.append):
                known = one.entries()
                for migration in migrations:
                    one.up(migration, known.get(int(migration.number)), self.said.append)
            return one.entries()
        finally:
            one.close()

    def down(self, *migrations: Migration) -> dict[int, Entry]:
        one = self.runner()
        try:
            with one.locked(self.said.append):
                known = one.entries()
                for migration in migrations:
                    one.down(migration, known[int(migration.number)], self.said.append)
            return one.entries()
        finally:
            one.close()

    def stops(self, *migrations: Migration) -> MigrationStopped:
        with pytest.raises(MigrationStopped) as raised:
            self.up(*migrations)
        return raised.value

    def state(self, number: int) -> Any:
        found = self.db[LEDGER].find_one({"_id": str(number)})
        return None if found is None else found["state"]


@pytest.fixture
def place(mongo_url: str, mongo_db: Any, tmp_path: Path) -> Place:
    return Place(mongo_url, mongo_db, tmp_path)


def test_reading_creates_nothing(place: Place) -> None:
    one = place.runner()
    assert one.entries() == {}
    assert one.version[0].isdigit()
    one.close()
    assert place.db.list_collection_names() == []


def test_up_and_down_leave_what_was_there(place: Place) -> None:
    place.db.create_collection("c", validator={"x": {"$gt": 0}})
    place.db.c.create_index([("x", 1)], name="ix", unique=True)
    place.db.c.insert_many([{"_id": key, "x": n + 1} for n, key in enumerate([1, 2.5, "a", "b", b"z", None])])
    before, documents = snapshot(place.db), list(place.db.c.find())
    first = place.write(
        1,
        "steps = [create_collection('c', validator={'x': {'$gt': 0}}), set_validator('c', None), drop_index('c', 'ix'),"
        " create_index('fresh', 'a', name='fa')]",
    )
    second = place.write(
        2,
        "steps = [update_in_batches('c', {}, {'$inc': {'x': 10}}, size=1, revert={'$inc': {'x': -10}}),"
        " rename_collection('c', 'd')]",
    )
    entries = place.up(first, second)
    assert [(e.state, e.origin, e.written) for e in entries.values()] == [
        ("done", "applied", "0001"),
        ("done", "applied", "0002"),
    ]
    assert [d["x"] for d in place.db.d.find().sort("_id", 1)] == [x + 10 for x in (6, 1, 2, 3, 4, 5)]
    assert place.down(second, first) == {}
    assert snapshot(place.db) == before
    assert list(place.db.c.find()) == documents
    assert {d["_id"] for d in place.db[LEDGER].find()} == {"meta", "lease"}


def test_a_ledger_of_a_newer_dbtrust_is_refused_and_not_written(place: Place) -> None:
    place.db[LEDGER].insert_one({"_id": "meta", "kind": "meta", "format": 2})
    one = place.runner()
    with pytest.raises(MigrationStopped, match="newer dbtrust"):
        one.entries()
    with pytest.raises(MigrationStopped, match="newer dbtrust"), one.locked(silent):
        pass
    one.close()
    assert place.db[LEDGER].count_documents({}) == 1


def test_a_failed_step_may_be_mended_in_the_file(place: Place) -> None:
    place.db.c.insert_many([{"e": "a"}, {"e": "a"}])
    text = "steps = [create_collection('made'), create_index('c', 'e', name='ce', unique=True)]"
    error = place.stops(place.write(1, text))
    assert 'dup key: { e: "a" }' in error.message
    assert "duplicates" in error.next
    assert place.state(1) == "running"
    place.up(place.write(1, text.replace("unique=True", "unique=False")))
    assert place.state(1) == "done"


def test_a_step_that_ran_and_was_edited_is_refused(place: Place) -> None:
    place.stops(place.write(1, "steps = [create_collection('a'), drop_collection('nowhere')]"))
    error = place.stops(place.write(1, "steps = [create_collection('b')]"))
    assert "step 1" in error.message and "edited" in error.message
    assert place.db.list_collection_names(filter={"name": "b"}) == []


CHANGING = {
    "now": "update_in_batches('c', {}, {'$set': {'at': datetime.now(UTC)}}, size=1, revert={'$unset': {'at': 1}})",
    "partial": "step('x', apply=partial(put, n=1), revert=partial(put, n=2), probe=partial(has, n=1))",
    "instance": "step('x', apply=Put(), revert=Put(), probe=partial(has, n=1))",
}


@pytest.mark.parametrize("step", CHANGING.values(), ids=CHANGING)
def test_a_file_that_is_what_it_was_is_not_called_edited(place: Place, step: str) -> None:
    """Its arguments are made anew by each run: other times, other addresses."""
    place.db.c.insert_many([{}, {}])
    head = (
        "from datetime import UTC, datetime\nfrom functools import partial\n"
        "def put(db, n): db.c.update_many({}, {'$set': {'n': n}})\ndef has(db, n): return db.c.count_documents({'n': n}) > 0\n"
        "class Put:\n    def __call__(self, db): put(db, 1)\n"
        "def stop(db):\n    if not db.go.count_documents({}): raise ValueError('no')\n"
    )
    migration = place.write(
        1, f"{head}steps = [{step}, step('s', apply=stop, revert=lambda db: None, probe=lambda db: False)]"
    )
    assert "ValueError" in place.stops(migration).message
    place.db.go.insert_one({})
    assert place.up(migration)[1].state == "done"
    assert place.down(migration) == {}


def test_a_callable_is_the_same_one_in_a_file_that_was_mended_behind_it(place: Place) -> None:
    text = (
        "from functools import partial\ndef put(db, n): db.c.insert_one({'n': n})\n"
        "steps = [step('x', apply=partial(put, n=1)), drop_collection('nowhere')]"
    )
    place.stops(place.write(1, text))
    error = place.stops(place.write(1, text.replace("n=1", "n=2")))
    assert "step 1" in error.message and "edited" in error.message
    place.up(place.write(1, text.replace("drop_collection('nowhere')", "create_collection('a')")))
    assert place.state(1) == "done"


def test_an_edit_that_was_taken_back_after_its_step_ran_is_refused(place: Place) -> None:
    one = "steps = [create_collection('z'), create_index('c', 'a', name='i', unique=True), drop_collection('nowhere')]"
    place.db.c.insert_many([{"a": 1}, {"a": 1}])
    place.stops(place.write(1, one))
    assert "nowhere" in place.stops(place.write(1, one.replace("unique=True", "unique=False"))).message
    error = place.stops(place.write(1, one))
    assert "step 2" in error.message and "edited" in error.message


@pytest.mark.parametrize("value", ["db.c.count_documents({})", "None", "'no'"])
def test_a_probe_that_gives_no_bool_is_a_failure_at_its_place(place: Place, value: str) -> None:
    place.db.c.insert_one({})
    migration = place.write(
        1,
        f"def has(db):\n    return {value}\nsteps = [step('x', apply=lambda db: db.a.insert_one({{}}), probe=has)]",
    )
    error = place.stops(migration)
    assert "step x: its probe gave" in error.message and "not True or False" in error.message
    assert (error.code, error.location.line) == (1, 2)
    assert place.db.a.count_documents({}) == 0 and place.state(1) is None


@pytest.mark.parametrize("mark", ["done", "pending"])
def test_a_function_that_failed_asks_for_repair(place: Place, mark: str) -> None:
    text = "def up(db):\n    db.c.insert_one({'a': 1})\n    1 / 0\ndef down(db):\n    db.c.drop()\n"
    broken = place.write(1, text)
    for _ in range(2):
        error = place.stops(broken)
        assert "no probe" in error.message
        assert "repair --mark done 0001" in error.next
    assert place.db.c.count_documents({}) == 1
    mended = place.write(1, text.replace("    1 / 0\n", ""))
    one = place.runner()
    with one.locked(silent):
        one.settle(mended, one.entries()[1], done=mark == "done")
    one.close()
    place.up(mended)
    assert place.state(1) == "done"
    assert place.db.c.count_documents({}) == (1 if mark == "done" else 2)
    place.down(mended)
    assert place.db.c.count_documents({}) == 0


@pytest.mark.parametrize(("mark", "made"), [("done", 1), ("pending", 2)])
def test_repair_in_the_middle_keeps_the_steps_before_and_runs_those_behind(
    place: Place, mark: str, made: int
) -> None:
    text = (
        "def work(db):\n    db.c.insert_one({})\n    if db.c.count_documents({}) == 1: raise ValueError('once')\n"
        "steps = [create_collection('a'), step('work', apply=work), create_collection('b')]"
    )
    migration = place.write(1, text)
    place.stops(migration)
    one = place.runner()
    with one.locked(silent):
        one.settle(migration, one.entries()[1], done=mark == "done")
    one.close()
    place.up(migration)
    assert place.state(1) == "done"
    assert place.db.c.count_documents({}) == made
    assert "b" in place.db.list_collection_names()


@pytest.mark.parametrize("mark", ["done", "pending"])
def test_an_undo_that_nobody_can_ask_is_settled_as_well(place: Place, mark: str) -> None:
    """`back` removes a document and raises: --mark done says that it has run, --mark pending that it has not."""
    text = (
        "def back(db):\n    db.c.delete_one({})\n    if db.flag.count_documents({}): raise ValueError('no')\n"
        "steps = [create_collection('a'), step('s', apply=lambda db: db.c.insert_many([{}, {}]), revert=back)]"
    )
    migration = place.write(1, text)
    place.up(migration)
    place.db.flag.insert_one({})
    one = place.runner()
    with one.locked(silent), pytest.raises(MigrationStopped, match="no probe"):
        one.down(migration, one.entries()[1], silent)
    place.db.flag.drop()
    with one.locked(silent):
        one.settle(migration, one.entries()[1], done=mark == "done")
        one.down(migration, one.entries()[1], silent)
    one.close()
    assert place.db.c.count_documents({}) == (1 if mark == "done" else 0)
    assert place.db.list_collection_names(filter={"name": "a"}) == []


def test_what_was_finished_by_hand_and_marked_is_undone_as_a_whole(place: Place) -> None:
    text = "steps = [create_collection('a'), create_index('c', 'e', name='ce', unique=True), create_collection('b')]"
    place.db.c.insert_many([{"e": "a"}, {"e": "a"}])
    migration = place.write(1, text)
    place.stops(migration)
    place.db.c.delete_one({})
    place.db.c.create_index("e", name="ce", unique=True)
    place.db.create_collection("b")
    one = place.runner()
    with one.locked(silent):
        one.record(migration, "marked")
    one.close()
    assert place.down(migration) == {}
    assert place.db.list_collection_names(filter={"name": {"$in": ["a", "b"]}}) == []
    assert list(place.db.c.index_information()) == ["_id_"]


def test_a_failed_verify_is_undone_where_it_can_be(place: Place) -> None:
    error = place.stops(place.write(1, "steps = [create_collection('a')]\nverify = [lambda db: False]"))
    assert "False" in error.message and "undone" in error.message
    assert place.db.list_collection_names(filter={"name": "a"}) == []
    assert place.up() == {}


def test_a_failed_verify_without_a_down_stops_and_is_asked_again(place: Place) -> None:
    text = "def up(db):\n    db.a.insert_one({'n': 0})\ndef good(db):\n    return db.a.count_documents({'n': 1}) == 1\nverify = [good]"
    migration = place.write(1, text)
    assert "no down" in place.stops(migration).message
    place.db.a.update_one({}, {"$set": {"n": 1}})
    place.up(migration)
    assert place.state(1) == "done"
    assert place.db.a.count_documents({}) == 1


def test_a_migration_without_a_down_is_not_undone(place: Place) -> None:
    migration = place.write(1, "def up(db):\n    db.a.insert_one({})")
    place.up(migration)
    with pytest.raises(MigrationStopped, match="no down"):
        place.down(migration)
    assert place.state(1) == "done"


def test_up_finishes_a_down_that_was_interrupted(place: Place) -> None:
    migration = place.write(
        1,
        "def back(db):\n    if db.flag.count_documents({}): raise ValueError('no')\n"
        "steps = [create_collection('a'), step('s', apply=lambda db: None, revert=back, probe=lambda db: True)]",
    )
    place.up(migration)
    place.db[LEDGER].update_one({"_id": "1"}, {"$set": {"state": "reverting"}})
    place.db[LEDGER].update_one({"_id": "1/1"}, {"$set": {"state": "running", "stored.drops": b"other"}})
    place.up(migration)
    assert place.state(1) == "done"
    assert place.db[LEDGER].find_one({"_id": "1/1"})["state"] == "done"


def test_index_ddl_in_a_transaction_is_explained(place: Place) -> None:
    migration = place.write(
        1,
        "def up(db):\n    db.c.insert_one({})\n    with db.client.start_session() as s, s.start_transaction():\n"
        "        db.c.create_index('a', session=s)\n",
    )
    error = place.stops(migration)
    assert "263" in error.message and "transaction" in error.message


def test_index_ddl_beside_the_migrations_own_transaction_does_not_wait_for_a_minute(place: Place) -> None:
    place.db.c.insert_one({"_id": 1})
    migration = place.write(
        1,
        "def up(db):\n    with db.client.start_session() as s, s.start_transaction():\n"
        "        db.c.update_one({'_id': 1}, {'$set': {'a': 1}}, session=s)\n        db.c.create_index('a', name='ca')\n",
    )
    error = place.stops(migration)
    assert "own open transaction" in error.message
    assert "ca" not in place.db.c.index_information()


def test_a_server_that_lets_nobody_in_by_then_leaves_a_function_that_never_began(place: Place) -> None:
    """A migration's own functions get a client of their own, which the run opens late."""
    text = "def up(db):\n    db.c.insert_one({})\ndef down(db):\n    db.c.drop()\n"
    migration = place.write(1, text)
    for verb in ("up", "down"):
        one = place.runner()
        with pytest.raises(ServerError, match="refused the connection"), one.locked(silent):
            known = one.entries().get(1)
            one._url = place.url.replace("://dbtrust:", "://nobody:")
            assert one._url != place.url
            one.up(migration, known, silent) if verb == "up" else one.down(migration, known, silent)  # pyright: ignore[reportArgumentType]
        one.close()
        assert place.state(1) == (None if verb == "up" else "done")
        getattr(place, verb)(migration)
        assert place.db.c.count_documents({}) == (1 if verb == "up" else 0)


def test_a_role_without_rights_is_told_which(place: Place) -> None:
    user = f"u_{uuid.uuid4().hex[:8]}"
    privileges = [
        {
            "resource": {"db": place.db.name, "collection": LEDGER},
            "actions": ["find", "insert", "update", "remove"],
        },
        {"resource": {"db": place.db.name, "collection": ""}, "actions": ["listCollections", "find"]},
    ]
    place.db.command({"createRole": user, "privileges": privileges, "roles": []})
    place.db.command({"createUser": user, "pwd": "secret", "roles": [user]})
    rest = place.url.partition("@")[2].replace("authSource=admin", f"authSource={place.db.name}")
    poor = MongoRunner(f"mongodb://{user}:secret@{rest}", root=place.root)
    migration = place.write(1, "steps = [create_collection('a')]")
    try:
        with (
            pytest.raises(MigrationStopped, match=f"lacks the privilege createCollection on {place.db.name}"),
            poor.locked(silent),
        ):
            poor.up(migration, None, silent)
    finally:
        poor.close()
        place.db.command({"dropUser": user})
        place.db.command({"dropRole": user})


def test_a_wait_that_is_too_long_names_the_holder(place: Place) -> None:
    one, other = place.runner(), place.runner(lock_wait=0)
    with (
        one.locked(silent),
        pytest.raises(MigrationStopped, match=r"another runner .* process"),
        other.locked(silent),
    ):
        pass
    with other.locked(silent):
        pass
    one.close()
    other.close()


def test_threads_at_once_apply_once(place: Place) -> None:
    migrations = [
        place.write(n, f"steps = [step('s', apply=lambda db: db.c.insert_one({{'n': {n}}}))]") for n in (1, 2)
    ]
    failures: list[BaseException] = []

    def run() -> None:
        one = place.runner()
        try:
            with one.locked(silent):
                known = one.entries()
                for migration in migrations:
                    if int(migration.number) not in known:
                        one.up(migration, None, silent)
        except BaseException as error:
            failures.append(error)
        finally:
            one.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(d["n"] for d in place.db.c.find()) == [1, 2]


def test_ids_of_an_undo_may_be_more_than_a_document_holds(place: Place) -> None:
    """Twelve ids of 500 kB each: two documents of the ledger at least."""
    place.db.c.insert_many([{"_id": f"{n}{'x' * 500}" * 900, "n": 0} for n in range(12)])
    migration = place.write(
        1, "steps = [update_in_batches('c', {}, {'$inc': {'n': 1}}, size=100, revert={'$inc': {'n': -1}})]"
    )
    place.up(migration)
    assert place.db[LEDGER].count_documents({"kind": "ids"}) >= 2
    assert place.db.c.count_documents({"n": 1}) == 12
    place.down(migration)
    assert place.db.c.count_documents({"n": 0}) == 12
