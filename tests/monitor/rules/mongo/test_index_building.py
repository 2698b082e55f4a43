"""Index builds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.index_building import RULE


def test_finds_a_build_that_waits_for_a_transaction(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({"a": 1})
    with ThreadPoolExecutor(1) as pool, mongo_db.client.start_session() as session:
        with session.start_transaction():
            mongo_db.orders.insert_one({"a": 2}, session=session)
            build = pool.submit(mongo_db.orders.create_index, "a")
            # Whoever reads the collection now waits behind the build: so would a snapshot, for its time.
            found: list[Any] = []
            assert await_true(lambda: bool(found.extend(diagnose(RULE, timeout_ms=500)) or found), 30)
        build.result()
    assert [f.evidence["opid"] for f in found] and "a_1" in found[0].message
    assert "orders" in found[0].subject


def test_is_silent_once_it_is_built(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.create_index("a")
    assert [f for f in diagnose(RULE) if "orders" in f.subject] == []
