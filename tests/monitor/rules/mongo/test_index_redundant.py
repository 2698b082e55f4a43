"""Indexes that another one replaces."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.index_redundant import RULE


def test_finds_a_prefix_and_names_it(mongo_db: Any, diagnose: Any) -> None:
    mongo_db["or.ders"].create_index("a")
    mongo_db["or.ders"].create_index([("a", 1), ("b", 1)])
    (found,) = diagnose(RULE)
    assert found.subject == "index:or.ders.a_1" and found.severity == "warning"
    assert found.fix == f'db.getSiblingDB("{mongo_db.name}").getCollection("or.ders").dropIndex("a_1")'


def test_is_silent_about_unique_partial_and_other_orders(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.create_index("a", unique=True)
    mongo_db.orders.create_index([("a", 1), ("b", 1)])
    mongo_db.orders.create_index([("b", 1), ("a", -1)])
    mongo_db.orders.create_index([("b", 1)], partialFilterExpression={"a": {"$gt": 1}}, name="part")
    assert diagnose(RULE) == []
