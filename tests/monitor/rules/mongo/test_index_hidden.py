"""Hidden indexes."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.index_hidden import RULE


def test_finds_a_hidden_index(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.create_index("a", hidden=True)
    mongo_db.orders.create_index("b")
    assert [f.subject for f in diagnose(RULE)] == ["index:orders.a_1"]


def test_is_silent_once_it_is_shown(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.create_index("a", hidden=True)
    mongo_db.command({"collMod": "orders", "index": {"name": "a_1", "hidden": False}})
    assert diagnose(RULE) == []
