"""Things whose queries claim what the server does not do, each for another reason."""

from pydantic import BaseModel, Field, ConfigDict
from pymongo import IndexModel

from dbtrust import Collection, MongoQueries, claim, example


class Thing(BaseModel):
    id: int = Field(alias="_id")
    group: int
    day: int
    price: float
    kind: str
    note: str


things = Collection("things", Thing, indexes=[
    IndexModel([("day", 1), ("group", 1)], name="day_group"),
    IndexModel([("group", 1), ("price", 1)], name="group_price"),
    IndexModel([("kind", 1)], name="rare", partialFilterExpression={"kind": "rare"}),
])


class ThingQueries(MongoQueries):
    @claim("no sort", "examines at most 2 documents per result")
    @example("three", group=3)
    def newest(self, group: int):
        return list(self.db.things.find({"group": group, "day": {"$gt": 100}}).sort("price", -1).limit(10))
    @claim("uses day_group on things", "no sort")
    @example("three", group=3)
    def by_day(self, group: int):
        return list(self.db.things.find({"group": group}).sort("day", 1))
    @claim("uses group_price on things covered")
    @example("three", group=3)
    def prices(self, group: int):
        return list(self.db.things.find({"group": group}, {"_id": 0, "price": 1, "day": 1}))
    @claim("uses rare on things")
    @example("common", kind="common")
    def of_kind(self, kind: str):
        return list(self.db.things.find({"kind": kind}))
    @claim("id lookup")
    @example("one", note="x")
    def noted(self, note: str):
        return list(self.db.things.find({"note": note}))
    @claim("uses day_grup on things")
    @example("three", day=3)
    def misspelt(self, day: int):
        return list(self.db.things.find({"day": day}))
