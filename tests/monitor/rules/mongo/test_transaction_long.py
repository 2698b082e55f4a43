"""Long and idle transactions."""

from __future__ import annotations

from typing import Any

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.transaction_long import RULE


def test_finds_one_that_does_nothing(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({"n": 1})
    found: list[Any] = []
    with mongo_db.client.start_session() as session:
        session.start_transaction()
        mongo_db.orders.insert_one({"n": 2}, session=session)
        assert diagnose(RULE) == []
        assert await_true(lambda: bool(found.extend(diagnose(RULE)) or found), 30)
        session.abort_transaction()
    assert found[0].subject.startswith("transaction:") and found[0].evidence["idle_ms"] >= 3000


def test_is_silent_about_a_short_one(mongo_db: Any, diagnose: Any) -> None:
    mongo_db.orders.insert_one({"n": 1})
    with mongo_db.client.start_session() as session, session.start_transaction():
        mongo_db.orders.insert_one({"n": 2}, session=session)
        assert diagnose(RULE) == []
