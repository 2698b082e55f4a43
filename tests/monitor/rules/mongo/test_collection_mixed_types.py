"""Fields of several types."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_mixed_types import RULE


def test_finds_a_number_among_texts_also_deeper(mongo_db: Any, diagnose: Any) -> None:
    rows: list[dict[str, Any]] = [{"zip": "01234", "at": {"n": 1}} for _ in range(99)]
    mongo_db.orders.insert_many([*rows, {"zip": 1234, "at": {"n": "x"}}])
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders"
    assert found.evidence["fields"] == {"zip": {"string": 99, "int": 1}, "at.n": {"int": 99, "string": 1}}
    assert "01234" not in found.message


def test_is_silent_about_numbers_nulls_and_what_is_declared(mongo_db: Any, diagnose: Any) -> None:
    schema = {"properties": {"either": {"bsonType": ["int", "string"]}}}
    mongo_db.create_collection("orders", validator={"$jsonSchema": schema})
    rows: list[dict[str, Any]] = [{"n": 1, "m": None, "either": 1}, {"n": 1.5, "m": "a", "either": "x"}] * 50
    mongo_db.orders.insert_many([dict(row) for row in rows])
    assert diagnose(RULE) == []
