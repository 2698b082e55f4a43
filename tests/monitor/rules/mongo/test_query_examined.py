"""Operations whose index leads to too much."""

from __future__ import annotations

from typing import Any

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
