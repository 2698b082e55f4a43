"""A copied database has the same catalog and the same documents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import IndexModel

from dbtrust.engine.mongo import copy
from dbtrust.engine.mongo.catalog import LEDGER, snapshot
from dbtrust.engine.mongo.copy import copy_database


@pytest.fixture
def target(mongo_db: Any, mongo_client: Any) -> Iterator[Any]:
    name = f"{mongo_db.name}_copy"
    yield mongo_client[name]
    mongo_client.drop_database(name)


@pytest.fixture
def source(mongo_db: Any) -> Any:
    mongo_db.create_collection("things", collation={"locale": "fr"})
    mongo_db.things.insert_many([{"_id": i, "t": f"word{i}", "n": i % 7} for i in range(200)])
    mongo_db.things.create_indexes(
        [
            IndexModel([("t", "text")], name="idx_text", collation={"locale": "simple"}),
            IndexModel(
                [("n", 1), ("_id", -1)], name="idx_n", unique=True, partialFilterExpression={"n": {"$gt": 1}}
            ),
        ]
    )
    mongo_db.command("collMod", "things", validator={"absent": {"$exists": True}})  # no document is valid
    mongo_db.create_collection("log", capped=True, size=8192, max=5)
    mongo_db.log.insert_many([{"_id": i} for i in range(9)])
    mongo_db.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True})
    mongo_db.clustered.insert_one({"_id": 5})
    mongo_db.create_collection("readings", timeseries={"timeField": "t", "metaField": "m"})
    mongo_db.readings.insert_many([{"t": datetime(2025, 1, 1, tzinfo=UTC), "m": i} for i in range(7)])
    mongo_db.create_collection("cheap", viewOn="things", pipeline=[{"$match": {"n": 1}}])
    mongo_db[LEDGER].insert_one({"_id": 1, "undo": {"validator": {"$jsonSchema": {}}}})
    return mongo_db


def test_everything(source: Any, target: Any, mongo_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy, "_BATCH", 3)
    copy_database(mongo_client, source.name, target.name)
    assert snapshot(target) == snapshot(source)
    for name in ("things", "log", "clustered", "readings", "cheap", LEDGER):
        assert list(target[name].find().sort("_id", 1)) == list(source[name].find().sort("_id", 1)), name


def test_some_collections(source: Any, target: Any, mongo_client: Any) -> None:
    copy_database(mongo_client, source.name, target.name, ["clustered"])
    assert target.list_collection_names() == ["clustered"]
    copy_database(mongo_client, source.name, target.name, [])
    assert target.clustered.count_documents({}) == 1
