"""Sorts that an index could spare."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.query_sort import RULE


def test_finds_a_sort_in_memory(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"state": n % 2, "n": n} for n in range(3000)])
    mongo_db.orders.create_index("state")
    list(mongo_db.orders.find({"state": 1, "$where": slowly()}).sort("n", 1).limit(5))
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and "in memory" in found.message


def test_finds_a_sort_on_disk(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n, "text": "x" * 150_000} for n in range(750)])
    pipeline = [{"$match": {"n": {"$gte": 0}}}, {"$sort": {"text": 1, "n": -1}}, {"$project": {"n": 1}}]
    list(mongo_db.orders.aggregate(pipeline, allowDiskUse=True))
    found = diagnose(RULE)
    assert [f.subject for f in found] == ["collection:orders"] and "on disk" in found[0].message


def test_is_silent_where_an_index_gives_the_order(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"state": n % 2, "n": n} for n in range(3000)])
    mongo_db.orders.create_index([("state", 1), ("n", 1)])
    list(mongo_db.orders.find({"state": 1, "$where": slowly(25)}).sort("n", 1).limit(5))
    assert diagnose(RULE) == []
