"""Pressure on the cache."""

from __future__ import annotations

import os
from typing import Any

from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.server_cache import RULE


def test_finds_changes_that_are_not_written(three: Any) -> None:
    small = "cache_size=32M,eviction_dirty_target=80,eviction_dirty_trigger=95"
    with three.member(0) as client:
        client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": small})
        try:
            found: list[Any] = []

            def dirty() -> bool:
                # A checkpoint may come between the writes and the look.
                client.t.c.insert_many([{"data": os.urandom(100_000)} for _ in range(120)])
                found[:] = [f for f in judged(RULE, three.look()) if str(three.ports[0]) in f.subject]
                return bool(found)

            assert await_true(dirty, 30)
        finally:
            usual = "cache_size=256M,eviction_dirty_target=5,eviction_dirty_trigger=20"
            client.admin.command({"setParameter": 1, "wiredTigerEngineRuntimeConfig": usual})
            client.t.c.drop()
    assert len(found) == 1 and "cache" in found[0].message


def test_is_silent_about_an_idle_server(mongo_db: Any, look: Any) -> None:
    mongo_db.client.admin.command("fsync")
    assert judged(RULE, look()) == []
