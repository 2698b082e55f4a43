from datetime import UTC, datetime

from dbtrust import proof


@proof("refused 121 on value")
def value_is_a_number(db):
    return db.readings.insert_one({"_id": -1, "sensor": "a", "at": datetime.now(UTC), "value": "high"})


@proof("refused 11000")
def ids_are_unique(db):
    db.readings.insert_one({"_id": -1, "sensor": "a", "at": datetime.now(UTC), "value": 1})
    return db.readings.insert_one({"_id": -1, "sensor": "a", "at": datetime.now(UTC), "value": 1})


@proof("true")
def all_data_are_there(db):
    return db.readings.count_documents({}) == 4000
