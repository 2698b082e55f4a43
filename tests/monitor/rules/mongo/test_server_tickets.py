"""Tickets that run out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.server_tickets import RULE


def test_finds_that_no_read_ticket_is_free(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({})
    admin = mongo_db.client.admin
    admin.command({"setParameter": 1, "wiredTigerConcurrentReadTransactions": 5})
    try:
        with ThreadPoolExecutor(5) as pool:
            slow = [pool.submit(_sleep, mongo_db, 1500) for _ in range(5)]
            found: list[Any] = []
            assert await_true(lambda: all(f.done() for f in slow) or bool(_extend(found, diagnose)), 30)
            for each in slow:
                each.result()
    finally:
        admin.command({"setParameter": 1, "wiredTigerConcurrentReadTransactions": 128})
    assert found and found[0].evidence["kind"] == "read" and found[0].evidence["total"] == 5


def _sleep(mongo_db: Any, ms: int) -> None:
    list(mongo_db.orders.find({"$where": f"sleep({ms}) || true"}))


def _extend(found: list[Any], diagnose: Any) -> list[Any]:
    found += diagnose(RULE)
    return found


def test_is_silent_on_an_idle_server(mongo_db: Any, diagnose: Any) -> None:
    assert diagnose(RULE) == []
