"""Operations that run for long."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymongo
import pytest
from tests.monitor.rules.mongo.conftest import judged

from dbtrust.engine.waiting import await_true
from dbtrust.monitor.rules.mongo.operation_long import RULE


@pytest.fixture
def running(mongo_db: Any) -> Iterator[None]:
    """An operation that is five seconds old."""
    mongo_db.orders.insert_one({"n": 1})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: list(mongo_db.orders.find({"$where": "sleep(20000) || true"})))
        mine = {"ns": f"{mongo_db.name}.orders", "microsecs_running": {"$gt": 5_000_000}}
        pipeline = [{"$currentOp": {}}, {"$match": mine}]
        assert await_true(lambda: bool(list(mongo_db.client.admin.aggregate(pipeline))), 60)
        yield
        for entry in mongo_db.client.admin.aggregate(pipeline):
            mongo_db.client.admin.command({"killOp": 1, "op": entry["opid"]})
        with pytest.raises(pymongo.errors.OperationFailure):
            slow.result()


def test_finds_it_and_names_it(mongo_db: Any, look: Any, running: None) -> None:
    now = look()
    (found,) = [f for f in judged(RULE, now) if mongo_db.name in f.message]
    assert found.subject.startswith("operation:") and "killOp" in found.fix and "$where" in found.message


def test_is_silent_about_short_ones(mongo_db: Any, look: Any) -> None:
    mongo_db.orders.insert_one({"n": 2})
    now = look()
    assert [f for f in judged(RULE, now) if mongo_db.name in f.message] == []
