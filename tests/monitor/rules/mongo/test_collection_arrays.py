"""Arrays without an end."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_arrays import RULE


def fill(mongo_db: Any, length: int) -> None:
    mongo_db.posts.insert_many([{"likes": [1]} for _ in range(59)])
    mongo_db.posts.insert_one({"likes": list(range(length)), "log": {"lines": list(range(length))}})


def test_finds_two_thousand_elements(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db, 2000)
    (found,) = diagnose(RULE)
    assert found.subject == "collection:posts" and found.evidence["longest"] == {
        "likes": 2000,
        "log.lines": 2000,
    }


def test_is_silent_about_a_hundred(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db, 100)
    assert diagnose(RULE) == []
