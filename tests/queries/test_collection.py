"""Collections: the validator from a model by Python type, create, load, dump and touch, on a real server."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any, Literal

import pymongo.errors
import pytest
from bson import Binary, Decimal128, ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import IndexModel

from dbtrust import Collection, ContractError, DriftError
from dbtrust.queries.json_schema import json_schema


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int


class Thing(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)
    id: ObjectId | None = Field(default=None, alias="_id")
    name: Annotated[str, Field(min_length=2, max_length=9, pattern="^[a-z]+$")]
    size: int = Field(gt=0, le=10)
    ratio: float | None = None
    price: decimal.Decimal = Field(default=decimal.Decimal("1.5"), ge=decimal.Decimal("0.5"))
    when: datetime.datetime | None = None
    flag: bool = False
    key: uuid.UUID | None = None
    blob: bytes = b""
    color: Color | None = None
    kind: Literal["a", "b"] = "a"
    tags: list[Annotated[str, Field(min_length=1)]] = Field(default=[], max_length=3)
    inner: Inner | None = None
    extra: dict[str, int] = {}
    either: int | str = 0
    anything: Any = None


GOOD: dict[str, Any] = {"name": "thing", "size": 3}
#: A value that breaks one rule, by field.
BROKEN: list[tuple[str, Any]] = [
    ("name", "x"), ("name", "waytoolongname"), ("name", "Upper"), ("name", 5), ("size", 0), ("size", 11), ("size", "3"), ("size", 1.5),
    ("ratio", "1"), ("price", 1.5), ("price", Decimal128("0.1")), ("when", "2026-01-01"), ("flag", 1), ("key", "x"), ("blob", "x"),
    ("color", "green"), ("kind", "c"), ("tags", ["a", ""]), ("tags", ["a"] * 4), ("tags", "a"), ("inner", {"x": 1, "y": 2}), ("inner", {}),
    ("extra", {"a": "b"}), ("either", 1.5),
]  # fmt: skip
FINE: list[tuple[str, Any]] = [
    ("ratio", 1), ("ratio", None), ("price", Decimal128("0.5")), ("when", datetime.datetime(2026, 1, 1)), ("key", Binary.from_uuid(uuid.UUID(int=5))),
    ("blob", b"x"), ("color", "red"), ("color", None), ("tags", ["a"]), ("inner", {"x": 1}), ("inner", None), ("extra", {"a": 1}),
    ("either", "x"), ("anything", object), ("size", 2**31),
]  # fmt: skip


@pytest.fixture
def things(mongo_db: Any) -> Any:
    Collection("things", Thing).create(mongo_db)
    return mongo_db.things


@pytest.mark.parametrize(("field", "value"), BROKEN)
def test_the_server_refuses_what_the_model_refuses(things: Any, field: str, value: Any) -> None:
    with pytest.raises(pymongo.errors.WriteError) as caught:
        things.insert_one({**GOOD, field: value})
    assert caught.value.code == 121


@pytest.mark.parametrize(("field", "value"), FINE)
def test_the_server_takes_what_the_model_takes(things: Any, field: str, value: Any) -> None:
    document = {**GOOD, field: "any" if value is object else value}
    if field == "size":
        with pytest.raises(pymongo.errors.WriteError):
            things.insert_one(document)
    else:
        assert things.insert_one(document).acknowledged


def test_required_is_what_has_no_default() -> None:
    assert json_schema(Thing)["required"] == ["name", "size"]
    assert json_schema(Inner)["additionalProperties"] is False
    assert "_id" in json_schema(Inner)["properties"]


@pytest.mark.parametrize("annotation", [complex, datetime.date, set[datetime.time]])
def test_a_type_without_a_form_in_bson_is_told(annotation: Any) -> None:
    model: Any = type("M", (BaseModel,), {"__annotations__": {"x": annotation}})
    with pytest.raises(ContractError, match="no BSON type"):
        json_schema(model)


def collection(**changes: Any) -> Collection[Inner]:
    options: dict[str, Any] = {
        "indexes": [IndexModel([("x", 1)], name="by_x"), IndexModel([("t", "text")], name="words")]
    }
    return Collection("inners", Inner, **{**options, **changes})


def test_create_is_idempotent(mongo_db: Any) -> None:
    for _ in range(2):
        collection().create(mongo_db)
    assert set(mongo_db.inners.index_information()) == {"_id_", "by_x", "words"}
    collection(indexes=[IndexModel([("x", -1)], name="more")]).create(mongo_db)
    assert "more" in mongo_db.inners.index_information()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level": "moderate"}, "validationLevel"), ({"action": "warn"}, "validationAction"), ({"schema": {"bsonType": "object"}}, "validator"),
        ({"indexes": [IndexModel([("x", -1)], name="by_x")]}, "by_x"), ({"indexes": [IndexModel([("x", 1)], name="by_x", unique=True)]}, "by_x"),
        ({"indexes": [IndexModel([("u", "text")], name="words")]}, "words"),
    ],
)  # fmt: skip
def test_another_live_definition_is_drift(mongo_db: Any, changes: dict[str, Any], said: str) -> None:
    collection().create(mongo_db)
    with pytest.raises(DriftError, match=said):
        collection(**changes).create(mongo_db)


class Stamped(BaseModel):
    id: int | None = Field(default=None, alias="_id")
    name: str
    made: datetime.datetime | None = None
    changed: datetime.datetime | None = None


STAMPED = Collection("stamped", Stamped, timestamps=("made", "changed"))


def test_documents_come_back_as_they_went(mongo_db: Any) -> None:
    STAMPED.create(mongo_db)
    mongo_db.stamped.insert_one(STAMPED.dump(Stamped(_id=5, name="a")))
    found = mongo_db.stamped.find_one({"_id": 5})
    assert found["made"] == found["changed"]
    assert "_id" not in STAMPED.dump(Stamped(name="a"))
    with pytest.raises(ContractError, match="stamped"):
        STAMPED.load({**found, "_id": "x"})
    loaded = STAMPED.load({**found, "_id": 5})
    assert (loaded.id, loaded.name, loaded.made) == (5, "a", found["made"].replace(tzinfo=datetime.UTC))
    assert STAMPED.dump(loaded)["_id"] == 5


def test_touch_adds_the_second_timestamp() -> None:
    update = {"$set": {"name": "b"}, "$inc": {"n": 1}}
    touched = STAMPED.touch(update)
    assert set(touched["$set"]) == {"name", "changed"}
    assert update == {"$set": {"name": "b"}, "$inc": {"n": 1}}
    assert Collection("x", Inner).touch(update) == update
    assert Collection("x", Inner).dump(Inner(x=1)) == {"x": 1}
