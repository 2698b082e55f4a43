"""Every shape in which the server refuses, from a real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dbtrust.engine.mongo.errors import Failure, describe, failure_of

SCHEMA = {
    "required": ["name"],
    "properties": {
        "stock": {"properties": {"count": {"bsonType": "int", "minimum": 0}}, "additionalProperties": False},
        "tags": {"items": {"bsonType": "string"}},
        "size": {"anyOf": [{"bsonType": "int"}, {"enum": ["small"]}]},
    },
}


def refused(call: Callable[[], object]) -> Failure:
    with pytest.raises(Exception) as caught:
        call()
    return failure_of(caught.value)


@pytest.fixture
def things(mongo_db: Any) -> Any:
    return mongo_db.create_collection("things", validator={"$jsonSchema": SCHEMA})


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"name": "a", "stock": {"count": -1}}, "stock.count"),
        ({"name": "a", "stock": {"other": 1}}, "stock.other"),
        ({"stock": {"count": 1}}, "name"),
        ({"name": "a", "tags": ["x", 2]}, "tags"),
        ({"name": "a", "size": "large"}, "size"),
    ],
)
def test_the_path_that_a_schema_refuses(things: Any, document: dict[str, Any], path: str) -> None:
    failure = refused(lambda: things.insert_one(document))
    assert (failure.code, failure.path) == (121, path)
    assert failure.message == "Document failed validation"


def test_the_deepest_of_several(things: Any) -> None:
    failure = refused(lambda: things.insert_one({"stock": {"count": -1}}))
    assert failure.path == "stock.count"
    assert set(failure.paths) == {"stock.count", "name"}


def test_updates_bulk_writes_and_find_and_modify(things: Any) -> None:
    things.insert_one({"_id": 1, "name": "a"})
    calls: list[Callable[[], object]] = [
        lambda: things.update_one({"_id": 1}, {"$set": {"stock.count": -1}}),
        lambda: things.insert_many([{"name": "b"}, {"name": "c", "stock": {"count": -1}}]),
        lambda: things.find_one_and_update({"_id": 1}, {"$set": {"stock.count": -1}}),
    ]
    assert [(refused(call).code, refused(call).path) for call in calls] == [(121, "stock.count")] * 3


@pytest.mark.parametrize(
    ("validator", "document", "path"),
    [
        ({"price": {"$gte": 0}}, {"price": -1}, "price"),
        ({"$and": [{"a.b": {"$gt": 1}}, {"c": 1}]}, {"a": {"b": 0}, "c": 1}, "a.b"),
    ],
)
def test_a_match_expression_as_validator(
    mongo_db: Any, validator: dict[str, Any], document: dict[str, Any], path: str
) -> None:
    mongo_db.create_collection("c", validator=validator)
    assert refused(lambda: mongo_db.c.insert_one(document)).path == path


def test_a_duplicate_names_index_and_key(mongo_db: Any) -> None:
    mongo_db.c.create_index([("mail", 1), ("n", -1)], unique=True, name="idx_mail")
    mongo_db.c.insert_one({"mail": "a"})
    for call in (
        lambda: mongo_db.c.insert_one({"mail": "a"}),
        lambda: mongo_db.c.insert_many([{"mail": "a"}]),
    ):
        failure = refused(call)
        assert (failure.code, failure.index, failure.constraint, failure.key) == (
            11000, "idx_mail", "idx_mail", ("mail", "n"),
        )  # fmt: skip


def test_other_errors(mongo_db: Any) -> None:
    mongo_db.create_collection("c")
    assert refused(lambda: mongo_db.create_collection("c")).code == 48
    failure = refused(lambda: mongo_db.c.drop_index("none"))
    assert (failure.code, failure.path, failure.index, failure.constraint) == (27, None, None, None)
    assert failure_of(ValueError()) == Failure(None, "ValueError")


def test_describe_is_one_line_without_the_drivers_dump(things: Any) -> None:
    with pytest.raises(Exception) as caught:
        things.insert_one({"name": "a", "stock": {"count": -1}})
    assert describe(caught.value) == "121: Document failed validation (at stock.count)"
    assert describe(RuntimeError("a\n b")) == "a b"
