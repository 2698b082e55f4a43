"""Big documents."""

from __future__ import annotations

from typing import Any

from dbtrust.monitor.rules.mongo.collection_big_documents import RULE


def fill(mongo_db: Any, size: int) -> None:
    mongo_db.files.insert_many([{"n": n} for n in range(59)])
    mongo_db.files.insert_one({"data": b"x" * size})


def test_finds_five_megabytes(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db, 5 << 20)
    (found,) = diagnose(RULE)
    assert found.subject == "collection:files" and "5.0 MB" in found.message


def test_is_silent_about_one(mongo_db: Any, diagnose: Any) -> None:
    fill(mongo_db, 1 << 20)
    assert diagnose(RULE) == []
