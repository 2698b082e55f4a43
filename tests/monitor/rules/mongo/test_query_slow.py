"""Shapes that are slow each time."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.query_slow import RULE


def test_finds_what_is_slow_three_times(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(3)])
    for n in range(3):
        list(mongo_db.orders.find({"n": n, "$where": slowly(110)}))
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and found.severity == "info"
    assert found.evidence["shapes"][0]["count"] == 3


def test_is_silent_about_one_slow_run_and_what_is_fast(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(3)])
    list(mongo_db.orders.find({"n": 1, "$where": slowly(110)}))
    for _ in range(20):
        mongo_db.orders.find_one({"n": 1})
    assert diagnose(RULE) == []
