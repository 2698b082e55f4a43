"""What code sends, recorded by a listener of a real client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.capture import Capture, Recorded
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.explain import explain


@pytest.fixture
def capture() -> Capture:
    return Capture()


@pytest.fixture
def db(mongo_url: str, mongo_db: Any, capture: Capture) -> Iterator[Any]:
    with connect(mongo_url, listeners=[capture]) as client:
        db = client[mongo_db.name]
        db.c.insert_many([{"_id": i, "a": i % 3} for i in range(12)])
        yield db


def record(capture: Capture, call: Callable[[], object]) -> list[Recorded]:
    with capture.recording() as commands, suppress(PyMongoError):
        call()
    return commands


def test_only_inside_the_block_and_as_it_was_sent(db: Any, capture: Capture) -> None:
    filter = {"a": {"$in": [1]}}
    with capture.recording() as commands:
        list(db.c.find(filter).sort("_id", -1))
        filter["a"]["$in"].append(2)
    list(db.c.find({}))
    (found,) = commands
    assert (found.name, found.database, found.ok, found.code) == ("find", db.name, True, None)
    assert found.command["filter"] == {"a": {"$in": [1]}}
    assert found.command["sort"] == {"_id": -1}
    (plan,) = explain(db, found.command)
    assert plan.totals["returned"] == 4


@pytest.mark.parametrize(
    ("call", "name", "explainable", "wrote"),
    [
        (lambda db: list(db.c.find()), "find", True, False),
        (lambda db: db.c.count_documents({}), "aggregate", True, False),
        (lambda db: db.c.estimated_document_count(), "count", True, False),
        (lambda db: db.c.distinct("a"), "distinct", True, False),
        (lambda db: db.c.insert_one({}), "insert", False, True),
        (lambda db: db.c.update_one({"_id": 1}, {"$set": {"a": 9}}), "update", True, True),
        (lambda db: db.c.update_one({"_id": 1}, {"$set": {"a": 1}}), "update", True, False),
        (lambda db: db.c.update_one({"_id": 99}, {"$set": {"a": 1}}, upsert=True), "update", True, True),
        (lambda db: db.c.delete_one({"_id": 1}), "delete", True, True),
        (lambda db: db.c.delete_one({"_id": 99}), "delete", True, False),
        (lambda db: db.c.find_one_and_update({"_id": 1}, {"$set": {"a": 9}}), "findAndModify", True, True),
        (lambda db: db.c.find_one_and_update({"_id": 99}, {"$set": {"a": 9}}), "findAndModify", True, False),
        (
            lambda db: db.c.find_one_and_update(
                {"_id": 99}, {"$set": {"a": 9}}, upsert=True, return_document=ReturnDocument.AFTER
            ),
            "findAndModify",
            True,
            True,
        ),
        (lambda db: db.c.find_one_and_delete({"_id": 1}), "findAndModify", True, True),
        (lambda db: db.c.aggregate([{"$match": {}}, {"$out": "d"}]), "aggregate", True, True),
        (lambda db: list(db.aggregate([{"$documents": [{"a": 1}]}])), "aggregate", False, False),
        (lambda db: db.c.create_index([("a", 1)]), "createIndexes", False, True),
        (lambda db: db.c.create_index([("_id", 1)]), "createIndexes", False, False),
        (lambda db: db.create_collection("d", check_exists=False), "create", False, True),
        (lambda db: db.c.drop(), "drop", False, True),
        (lambda db: db.create_collection("c", check_exists=False), "create", False, False),
    ],
)
def test_what_each_command_did(
    db: Any, capture: Capture, call: Callable[[Any], object], name: str, explainable: bool, wrote: bool
) -> None:
    (found,) = record(capture, lambda: call(db))
    assert (found.name, found.explainable, found.wrote) == (name, explainable, wrote)


def test_a_refused_write_is_a_failed_command(db: Any, capture: Capture) -> None:
    (found,) = record(capture, lambda: db.c.insert_many([{"_id": 1}, {"_id": 50}], ordered=False))
    assert (found.ok, found.failed, found.code, found.n, found.wrote) == (False, True, 11000, 1, True)
    assert found.write_errors[0]["keyPattern"] == {"_id": 1}
    (found,) = record(capture, lambda: db.c.insert_one({"_id": 1}))
    assert (found.failed, found.wrote) == (True, False)
    (found,) = record(capture, lambda: db.c.drop_index("nothing"))
    assert (found.ok, found.code, found.wrote) == (False, 27, False)


def test_bulk_writes_are_several_commands(db: Any, capture: Capture) -> None:
    changes = [
        UpdateOne({"_id": 1}, {"$set": {"a": 7}}),
        UpdateOne({"_id": 98}, {"$set": {"a": 7}}, upsert=True),
    ]
    (found,) = record(capture, lambda: db.c.bulk_write(changes))
    assert (found.n, found.modified, found.upserted) == (2, 1, 1)
    assert len(explain(db, found.command)) == 2


def test_later_batches_of_a_cursor_are_recorded_and_not_explained(db: Any, capture: Capture) -> None:
    found = record(capture, lambda: list(db.c.find(batch_size=5)))
    assert [c.name for c in found] == ["find", "getMore", "getMore"]
    assert [c.explainable for c in found] == [True, False, False]
    assert not any(c.wrote for c in found)


def test_threads_and_nested_blocks(db: Any, capture: Capture) -> None:
    with capture.recording() as outer:
        with capture.recording() as inner:
            threads = [threading.Thread(target=lambda: db.c.find_one({"_id": 1})) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        db.c.find_one({"_id": 2})
    assert (len(inner), len(outer)) == (8, 9)
    assert all(c.ok for c in outer)


def test_a_lost_answer_counts_as_a_change() -> None:
    lost = Recorded("update", {"update": "c"}, "d", ok=False)
    assert lost.wrote
    assert Recorded("bulkWrite", {"bulkWrite": 1}, "admin", ok=True, reply={"nDeleted": 1}).wrote
    assert not Recorded("bulkWrite", {"bulkWrite": 1}, "admin", ok=True).wrote
