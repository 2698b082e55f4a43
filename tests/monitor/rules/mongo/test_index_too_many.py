"""Too many indexes."""

from __future__ import annotations

from typing import Any

import pymongo

from dbtrust.monitor.rules.mongo.index_too_many import RULE


def indexes(mongo_db: Any, count: int) -> None:
    mongo_db.orders.create_indexes([pymongo.IndexModel([(f"f{n}", 1)]) for n in range(count - 1)])


def test_finds_more_than_twenty(mongo_db: Any, diagnose: Any) -> None:
    indexes(mongo_db, 21)
    (found,) = diagnose(RULE)
    assert found.subject == "collection:orders" and len(found.evidence["indexes"]) == 21


def test_is_silent_about_twenty(mongo_db: Any, diagnose: Any) -> None:
    indexes(mongo_db, 20)
    assert diagnose(RULE) == []
