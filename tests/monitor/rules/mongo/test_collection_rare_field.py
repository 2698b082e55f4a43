"""Fields that look misspelt."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_rare_field import RULE


def test_finds_the_misspelt_one(mongo_db: Any, diagnose: Any) -> None:
    rows: list[dict[str, Any]] = [{"email": "a", "who": {"surname": "x"}} for _ in range(98)]
    mongo_db.users.insert_many([*rows, {"emial": "a"}, {"email": "b", "who": {"surnmae": "y"}}])
    found = {(f.evidence["field"], f.evidence["near"]) for f in diagnose(RULE)}
    assert found == {("emial", "email"), ("who.surnmae", "who.surname")}


def test_is_silent_about_optional_and_numbered_fields(mongo_db: Any, diagnose: Any) -> None:
    rows: list[dict[str, Any]] = [{"email": "a", "line1": "x"} for _ in range(98)]
    mongo_db.users.insert_many([*rows, {"nickname": "a"}, {"email": "b", "line2": "y"}])
    assert diagnose(RULE) == []
