"""TTL indexes that expire nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dbtrust.monitor.rules.mongo.index_ttl import RULE


def test_finds_numbers_where_dates_are_meant(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.events.insert_many([{"at": n} for n in range(60)])
    mongo_db.events.create_index("at", expireAfterSeconds=3600)
    (found,) = diagnose(RULE)
    assert found.subject == "index:events.at_1" and "int in 60 of 60" in found.message
    assert "never" not in found.message


def test_finds_what_the_validator_declares_without_a_document(mongo_db: Any, diagnose: Any) -> None:
    schema = {"bsonType": "object", "properties": {"at": {"bsonType": "string"}}}
    mongo_db.create_collection("events", validator={"$jsonSchema": schema})
    mongo_db.events.create_index("at", expireAfterSeconds=3600)
    (found,) = diagnose(RULE)
    assert found.subject == "index:events.at_1" and "declares at as string" in found.message


def test_is_silent_about_dates_and_arrays_of_them(mongo_db: Any, diagnose: Any) -> None:
    now = datetime.now(UTC)
    mongo_db.events.insert_many([{"at": now, "many": [now]} for _ in range(60)])
    mongo_db.events.create_index("at", expireAfterSeconds=3600)
    mongo_db.events.create_index("many", expireAfterSeconds=3600)
    mongo_db.empty.create_index("at", expireAfterSeconds=3600)
    assert diagnose(RULE) == []
