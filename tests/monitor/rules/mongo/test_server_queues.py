"""Queues for the global lock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.server_queues import RULE


def _queued(mongo_db: Any) -> int:
    return mongo_db.client.admin.command("serverStatus")["globalLock"]["currentQueue"]["writers"]


def test_finds_writers_behind_fsync_lock(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({})
    with ThreadPoolExecutor(12) as pool:
        mongo_db.client.admin.command({"fsync": 1, "lock": True})
        try:
            waiting = [pool.submit(mongo_db.orders.insert_one, {}) for _ in range(12)]
            assert await_true(lambda: _queued(mongo_db) >= 12, 30)
            found = diagnose(RULE)
        finally:
            mongo_db.client.admin.command("fsyncUnlock")
        for each in waiting:
            each.result()
    assert len(found) == 1 and found[0].evidence["writers"] >= 12


def test_is_silent_without_a_queue(mongo_db: Any, diagnose: Any) -> None:
    assert diagnose(RULE) == []
