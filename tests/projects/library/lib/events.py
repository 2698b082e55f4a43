from datetime import datetime

from pydantic import BaseModel, Field
from pymongo import IndexModel

from dbtrust import Collection, MongoQueries, claim, example


class Reading(BaseModel):
    id: int | None = Field(default=None, alias="_id")
    sensor: str = Field(min_length=1)
    at: datetime
    value: float


readings = Collection(
    "readings", Reading, indexes=[IndexModel([("sensor", 1), ("at", -1)], name="by-sensor")]
)


class Readings(MongoQueries):
    @claim("uses by-sensor on readings", "no sort", "examines at most 1 keys per result")
    @example("one", sensor="s3")
    def latest(self, sensor):
        return list(self.db.readings.find({"sensor": sensor}).sort("at", -1).limit(5))

    @claim("uses by-sensor covered")
    @example(sensor="s3")
    def times(self, sensor):
        return [d["at"] for d in self.db.readings.find({"sensor": sensor}, {"_id": 0, "at": 1})]

    @claim("id lookup")
    @example(key=5)
    def one(self, key):
        return self.db.readings.find_one({"_id": key})

    @claim("no collection scan")
    @example(sensor="s3")
    def forget(self, sensor):
        return self.db.readings.delete_many({"sensor": sensor}).deleted_count
