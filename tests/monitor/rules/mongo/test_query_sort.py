"""Sorts that an index could spare."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize(
    "stage",
    [
        {"$group": {"_id": "$n", "s": {"$sum": "$state"}}},
        {"$unwind": "$s"},
        {"$addFields": {"s": {"$add": ["$n", 1]}}},
        {"$project": {"s": "$n"}},
        {"$limit": 2500},
    ],
)
def test_what_a_pipeline_computes_is_told_apart(
    mongo_db: Any, diagnose: Any, slowly: Any, stage: Any
) -> None:
    """No index helps it, though it took longer; the sort that one can spare leads."""
    mongo_db.orders.insert_many([{"state": n % 2, "n": n, "s": [n]} for n in range(3000)])
    slow = {
        "$function": {
            "body": "function(n) { sleep(n % 10 == 0 ? 1 : 0); return true }",
            "args": ["$n"],
            "lang": "js",
        }
    }
    computed = [{"$match": {"$expr": slow}}, stage, {"$sort": {"s": -1}}, {"$limit": 3}]
    list(mongo_db.orders.aggregate(computed))
    assert diagnose(RULE) == []
    list(mongo_db.orders.find({"$where": "this.n % 25 != 0 || sleep(1) || true"}).sort("n", 1).limit(5))
    (found,) = diagnose(RULE)
    assert found.message.startswith("find ") and [s["operation"] for s in found.evidence["shapes"]] == [
        "find"
    ]


def test_a_sort_behind_a_projection_is_told_to_move(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"state": n % 2, "n": n} for n in range(3000)])
    slow = {
        "$expr": {
            "$function": {
                "body": "function(n) { sleep(n % 10 == 0 ? 1 : 0); return true }",
                "args": ["$n"],
                "lang": "js",
            }
        }
    }
    list(
        mongo_db.orders.aggregate(
            [{"$match": slow}, {"$project": {"n": 1}}, {"$sort": {"n": 1}}, {"$limit": 3}]
        )
    )
    (found,) = diagnose(RULE)
    assert found.fix.startswith("make an index") and "put $sort right behind $match" in found.fix
