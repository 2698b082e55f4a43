"""A profiler that was left on."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.server_profiler import RULE


def test_finds_level_two_and_everything_at_level_one(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.command("profile", 2)
    (found,) = diagnose(RULE)
    assert found.subject == f"database:{mongo_db.name}" and "everything" in found.message


def test_is_silent_about_level_one_for_slow_ones_and_zero(mongo_db: Any, diagnose: Any) -> None:
    assert diagnose(RULE) == []
    mongo_db.command("profile", 1)
    assert diagnose(RULE) == []
