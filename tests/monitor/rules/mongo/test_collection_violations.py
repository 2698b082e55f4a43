"""Documents that their validator refuses."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_violations import RULE


def fill(mongo_db: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(58)] + [{"n": "x"}, {}])


def test_finds_old_documents(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db)
    schema = {"required": ["n"], "properties": {"n": {"bsonType": "int"}}}
    mongo_db.command({"collMod": "orders", "validator": {"$jsonSchema": schema}})
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and found.evidence["refused"] == 2


def test_is_silent_where_all_are_right(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db)
    mongo_db.command({"collMod": "orders", "validator": {"n": {"$ne": 1000}}})
    assert diagnose(RULE) == []
