from __future__ import annotations

import datetime

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from dbtrust import Collection


class Reading(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    id: ObjectId | int = Field(alias="_id")
    sensor: str
    at: datetime.datetime
    value: float
    tags: list[str] = []


readings = Collection(
    "readings",
    Reading,
    indexes=[
        IndexModel([("sensor", ASCENDING), ("at", DESCENDING)], name="sensor_at"),
        IndexModel([("tags", ASCENDING)], name="tags"),
    ],
)
