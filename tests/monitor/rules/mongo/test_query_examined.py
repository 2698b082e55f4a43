"""Operations whose index leads to too much."""

from __future__ import annotations

from typing import Any

import pytest

from dbtrust.monitor.rules.mongo.query_examined import RULE

#: Slow for the two documents that match, whatever the server asks first.
_SLOW = "this.n > 1 || sleep(60) || true"


def test_finds_keys_read_for_nothing(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_many([{"state": "open", "n": n} for n in range(3000)])
    mongo_db.orders.create_index("state")
    assert len(list(mongo_db.orders.find({"state": "open", "n": {"$lt": 2}, "$where": _SLOW}))) == 2
    (found,) = diagnose(RULE)
    assert (
        found.subject == "collection:orders" and "IXSCAN" in found.message and "3,000 keys" in found.message
    )


def test_is_silent_about_a_selective_index(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_many([{"state": "open", "n": n} for n in range(3000)])
    mongo_db.orders.create_index([("state", 1), ("n", 1)])
    assert len(list(mongo_db.orders.find({"state": "open", "n": {"$lt": 2}, "$where": _SLOW}))) == 2
    assert diagnose(RULE) == []


@pytest.mark.parametrize(
    "join",
    [
        {"$lookup": {"from": "orders", "localField": "email", "foreignField": "mail", "as": "o"}},
        {"$graphLookup": {
            "from": "orders", "startWith": "$email", "connectFromField": "none", "connectToField": "mail", "as": "o",
        }},
    ],
)  # fmt: skip
def test_a_join_without_an_index_is_told_of_the_joined_collection(
    mongo_db: Any, diagnose: Any, join: Any
) -> None:
    mongo_db.users.insert_many([{"_id": n, "email": f"u{n}"} for n in range(100)])
    mongo_db.orders.insert_many([{"mail": f"u{n % 100}"} for n in range(20_000)])
    pipeline = [{"$match": {"_id": {"$lt": 20}}}, join, {"$project": {"email": 1, "n": {"$size": "$o"}}}]
    list(mongo_db.users.aggregate(pipeline))
    (found,) = diagnose(RULE)
    assert (
        found.subject == "collection:orders"
        and "looks up orders by mail, with which no index" in found.message
    )
    assert found.fix == "make an index on orders that begins with mail"
    mongo_db.orders.create_index([("mail", 1), ("n", 1)])
    assert all(f.subject == "collection:users" and "equality" not in f.fix for f in diagnose(RULE))
