"""Plain pymongo, as it was written before anybody claimed anything."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from pymongo.database import Database


@pytest.fixture
def db() -> Iterator[Database[Any]]:
    with pymongo.MongoClient[Any](os.environ["DBTRUST_MONGO"], tz_aware=True) as client:
        yield client.get_default_database()


def test_the_latest_of_a_sensor(db: Database[Any]) -> None:
    for sensor in ("s1", "s2", "s2"):
        found = list(db.readings.find({"sensor": sensor}).sort("at", -1).limit(3))
        assert len(found) == 3


def test_one_by_id(db: Database[Any]) -> None:
    for number in (5, 6):
        assert db.readings.find_one({"_id": number})["_id"] == number


def test_the_mean_of_sensors(db: Database[Any]) -> None:
    pipeline = [
        {"$match": {"sensor": {"$in": ["s1", "s3"]}}},
        {"$group": {"_id": "$sensor", "mean": {"$avg": "$value"}}},
    ]
    assert len(list(db.readings.aggregate(pipeline))) == 2


def test_high_values_are_searched(db: Database[Any]) -> None:
    assert db.readings.count_documents({"value": {"$gt": 15}}) > 0


def test_tags(db: Database[Any]) -> None:
    assert db.readings.distinct("sensor", {"tags": "t7"})


def test_writing(db: Database[Any]) -> None:
    now = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    db.readings.insert_one({"_id": -1, "sensor": 'new "one"', "at": now, "value": 1.0, "tags": []})
    db.readings.update_one({"_id": -1}, {"$set": {"value": 2.0}})
    db.readings.find_one_and_update({"sensor": 'new "one"', "at": now}, {"$push": {"tags": "t0"}})
    assert db.readings.delete_one({"_id": -1}).deleted_count == 1
