"""Indexes that nobody uses."""

from __future__ import annotations

from typing import Any

from tests.monitor.rules.mongo.conftest import aged, judged

from dbtrust.monitor.rules.mongo.index_unused import RULE


def fill(mongo_db: Any) -> None:
    mongo_db.orders.insert_many([{"n": n, "m": n, "u": n} for n in range(1200)])
    mongo_db.orders.create_index("m")
    mongo_db.orders.create_index("n")
    mongo_db.orders.create_index("u", unique=True)
    mongo_db.orders.create_index("t", expireAfterSeconds=60)
    for n in range(20):
        mongo_db.orders.find_one({"n": n})


def test_finds_the_one_that_is_not_used_and_tells_the_age(mongo_db: Any, look: Any) -> None:
    fill(mongo_db)
    now = look()
    (found,) = judged(RULE, aged(now, 2))
    assert found.subject == "index:orders.m_1" and found.severity == "info"
    assert found.evidence["members"] == 1 and found.evidence["age_seconds"] < 2 * 86_400 + 600
    assert [f.severity for f in judged(RULE, aged(now, 8))] == ["warning"]
    assert judged(RULE, now) == []


def test_is_silent_once_it_is_used_and_about_small_collections(mongo_db: Any, look: Any) -> None:
    fill(mongo_db)
    mongo_db.orders.find_one({"m": 3})
    mongo_db.small.insert_many([{"n": n} for n in range(900)])
    mongo_db.small.create_index("n")
    for n in range(20):
        mongo_db.small.find_one({"x": n})
    assert judged(RULE, aged(look(), 8)) == []


def test_is_silent_about_a_collection_that_dbtrust_alone_reads(mongo_db: Any, look: Any) -> None:
    """Its own reads and the samples' uses of _id_ are counted by the server."""
    mongo_db.orders.insert_many([{"n": n} for n in range(1200)])
    mongo_db.orders.create_index("n")
    for _ in range(6):
        look()
    now = look()
    (row,) = now.sections["collections"]
    ops = {use["index"]: use["ops"] for use in now.sections["index_usage"]}
    assert row["reads"] >= 10 and row["collection_scans"] == 0 and 0 < ops["_id_"] <= 2 * 6
    assert judged(RULE, aged(now, 8)) == []


def test_finds_one_beside_many_reads_by_id(mongo_db: Any, look: Any) -> None:
    mongo_db.orders.insert_many([{"_id": n, "n": n} for n in range(1200)])
    mongo_db.orders.create_index("n")
    for n in range(100):
        mongo_db.orders.find_one({"_id": n})
    assert [f.subject for f in judged(RULE, aged(look(), 8))] == ["index:orders.n_1"]


def test_is_silent_about_a_collection_that_nobody_reads(mongo_db: Any, look: Any) -> None:
    mongo_db.orders.insert_many([{"n": n} for n in range(1200)])
    mongo_db.orders.create_index("n")
    assert judged(RULE, aged(look(), 8)) == []
