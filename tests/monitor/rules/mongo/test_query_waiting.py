"""Operations that wait for others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.query_waiting import RULE


def test_finds_reads_that_wait_for_a_lock(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({"n": 1})
    with ThreadPoolExecutor(3) as pool:
        mongo_db.client.admin.command({"fsync": 1, "lock": True})
        try:
            waiting = [
                pool.submit(mongo_db.orders.update_one, {"n": 1}, {"$inc": {"m": 1}}) for _ in range(3)
            ]
            assert await_true(lambda: _queued(mongo_db) >= 3, 30)
            sleep(0.15)
        finally:
            mongo_db.client.admin.command("fsyncUnlock")
        for each in waiting:
            each.result()
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and "waited" in found.message


def _queued(mongo_db: Any) -> int:
    return mongo_db.client.admin.command("serverStatus")["globalLock"]["currentQueue"]["writers"]


def test_is_silent_about_work(mongo_db: Any, diagnose: Any, slowly: Any) -> None:
    mongo_db.orders.insert_one({"n": 1})
    for _ in range(3):
        list(mongo_db.orders.find({"n": 1, "$where": slowly(110)}))
    assert diagnose(RULE) == []
