"""Space that deleted documents left."""

from __future__ import annotations

import os
from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.collection_free_space import RULE


def fill(mongo_db: Any) -> None:
    mongo_db.logs.insert_many([{"_id": n, "data": os.urandom(1 << 20)} for n in range(24)])


def test_finds_what_was_deleted(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db)
    admin = mongo_db.client.admin
    admin.command("fsync")
    # Deleted pages stay for snapshot reads that begin in the past.
    admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 0})
    mongo_db.logs.delete_many({"_id": {"$lt": 22}})
    found: list[Any] = []

    def seen() -> bool:
        mongo_db.logs.insert_one({})
        admin.command("fsync")
        found[:] = diagnose(RULE)
        return bool(found)

    try:
        assert await_true(seen, 60)
    finally:
        admin.command({"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 300})
    assert [f.subject for f in found] == ["collection:logs"]


def test_is_silent_about_a_full_file(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db)
    mongo_db.client.admin.command("fsync")
    assert diagnose(RULE) == []
