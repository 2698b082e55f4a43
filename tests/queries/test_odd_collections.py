"""Collections over unusual models, live definitions and updates."""

from __future__ import annotations

import datetime
import decimal
import enum
import re
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pymongo.errors
import pytest
from bson.decimal128 import Decimal128
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    RootModel,
    StringConstraints,
    computed_field,
    create_model,
)  # fmt: skip
from pydantic.alias_generators import to_camel
from pymongo import IndexModel

from dbtrust import Collection, ContractError, DriftError
from dbtrust.queries.json_schema import json_schema, outline

UTC = datetime.UTC


class Kind(enum.Enum):
    A = "a"
    B = "b"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool = True


class Names(RootModel[list[str]]):
    pass


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    items: list[T]


UserId = NewType("UserId", int)
TYPES: list[tuple[Any, dict[str, Any]]] = [
    (UserId, {"bsonType": ["int", "long"]}),
    (Literal[Kind.A, None], {"enum": ["a", None]}),
    (AwareDatetime, {"bsonType": "date"}),
    (NaiveDatetime | None, {"bsonType": ["date", "null"]}),
    (set[int], {"bsonType": "array", "items": {"bsonType": ["int", "long"]}, "uniqueItems": True}),
    (frozenset, {"bsonType": "array", "uniqueItems": True}),
    (Annotated[list[bool] | None, Field(max_length=2)], {"bsonType": ["array", "null"], "items": {"bsonType": "bool"}, "maxItems": 2}),
    (Annotated[dict[str, int], Field(min_length=1)], {"bsonType": "object", "additionalProperties": {"bsonType": ["int", "long"]}, "minProperties": 1}),
    (Annotated[bytes, Field(max_length=3)], {"bsonType": "binData"}),
    (Annotated[datetime.datetime, Field(ge=datetime.datetime(2020, 1, 1))], {"bsonType": "date"}),
    (Annotated[str, StringConstraints(pattern=re.compile("^a"))], {"bsonType": "string", "pattern": "^a"}),
    (dict[Kind, bool], {"bsonType": "object", "additionalProperties": {"bsonType": "bool"}}),
    (Names, {"bsonType": "array", "items": {"bsonType": "string"}}),
    (Page[bool], {"bsonType": "object", "required": ["items"], "properties": {"items": {"bsonType": "array", "items": {"bsonType": "bool"}}}}),
    (Any | None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "schema"), TYPES, ids=lambda v: str(v)[:40])
def test_the_form_of_a_type(annotation: Any, schema: dict[str, Any], mongo_db: Any) -> None:
    model = create_model("M", f=(annotation, ...))
    assert json_schema(model)["properties"]["f"] == schema
    Collection("m", model).create(mongo_db)
    Collection("m", model).create(mongo_db)


class Held(BaseModel):
    parts: list[Held] = []
    name: str = ""


REFUSED: list[tuple[str, Any, str]] = [
    ("a date", (datetime.date, ...), "M.f: date has no BSON type .*datetime, or str"),
    ("keys that are numbers", (dict[int, str], ...), r"M.f: a document's keys are strings"),
    ("excluded and required", (int, Field(exclude=True)), "M.f is excluded"),
    ("two names", (int, Field(validation_alias="g")), "M.f is stored as f and loaded from g"),
    ("two aliases", (int, Field(validation_alias="g", serialization_alias="h")), "stored as h and loaded from g"),
    ("a model in itself", (Held, ...), "Held.parts: Held holds Held again"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_has_no_form_names_the_field(field: Any, said: str) -> None:
    model: type[BaseModel] = create_model("M", f=field)
    with pytest.raises(ContractError, match=said):
        Collection("m", model)
    assert outline(model)["bsonType"] == "object"
    Collection("m", model, schema={"bsonType": "object"})


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)
    long_name: int
    other: int = Field(default=0, validation_alias=AliasChoices("old", "other"))


def test_a_stored_name_is_the_name_that_is_loaded() -> None:
    camels = Collection("camels", Camel)
    assert set(camels.validator["$jsonSchema"]["properties"]) == {"longName", "other"}
    camel = Camel(longName=3, old=4)  # pyright: ignore[reportCallIssue]
    assert camels.load(camels.dump(camel)) == camel


class Zoo(BaseModel):
    animal: Annotated[Cat | Dog, Field(discriminator="kind")]
    second: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None


def test_a_discriminated_union(mongo_db: Any) -> None:
    zoos = Collection("zoos", Zoo)
    zoos.create(mongo_db)
    zoo = Zoo(animal=Cat(kind="cat", lives=9), second=Dog(kind="dog"))
    mongo_db.zoos.insert_one(zoos.dump(zoo))
    assert zoos.load(mongo_db.zoos.find_one()) == zoo
    with pytest.raises(pymongo.errors.WriteError):
        mongo_db.zoos.insert_one({"animal": {"kind": "cat"}})


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


class Counted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    parts: list[Strict]
    loose: Any = None

    @computed_field
    @property
    def count(self) -> int:
        return len(self.parts)


class Whole(BaseModel):
    counted: Counted


def test_a_model_that_forbids_other_fields_still_has_an_id_and_timestamps(mongo_db: Any) -> None:
    stricts = Collection("stricts", Strict, timestamps=("made", "changed"))
    stricts.create(mongo_db)
    mongo_db.stricts.insert_one(stricts.dump(Strict(name="a")))
    found = mongo_db.stricts.find_one()
    assert {"_id", "made", "changed"} < set(found)
    assert stricts.load(found) == Strict(name="a")
    with pytest.raises(ContractError, match="other: Extra inputs"):
        stricts.load({**found, "other": 1})


def test_computed_fields_stay_out_at_any_depth(mongo_db: Any) -> None:
    wholes = Collection("wholes", Whole)
    wholes.create(mongo_db)
    whole = Whole(counted=Counted(parts=[Strict(name="a")], loose=[decimal.Decimal("1.50")]))
    mongo_db.wholes.insert_one(wholes.dump(whole))
    found = mongo_db.wholes.find_one()
    assert set(found["counted"]) == {"parts", "loose"}
    assert wholes.load(found) == whole


class Price(BaseModel):
    amount: float


class Naive(BaseModel):
    at: NaiveDatetime


class Timed(BaseModel):
    at: datetime.datetime
    times: list[datetime.datetime] = []


moments = st.datetimes(
    min_value=datetime.datetime(1900, 1, 1), max_value=datetime.datetime(2200, 1, 1),
    timezones=st.sampled_from([UTC, datetime.timezone(datetime.timedelta(hours=5, minutes=30))]),
).map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000))  # fmt: skip


@given(st.builds(Timed, at=moments, times=st.lists(moments, max_size=3)), st.booleans())
def test_times_come_back_whatever_the_client_gives(timed: Timed, aware: bool) -> None:
    import bson
    from bson.codec_options import CodecOptions

    times = Collection("times", Timed)
    options: CodecOptions[Any] = CodecOptions(tz_aware=aware)
    loaded = times.load(bson.decode(bson.encode(times.dump(timed)), codec_options=options))
    assert loaded == timed
    assert loaded.at.tzinfo is not None


def test_a_naive_field_stays_naive() -> None:
    naive = datetime.datetime(2024, 1, 1)
    assert Collection("n", Naive).load({"at": naive}).at == naive


def test_a_decimal_is_a_number_for_a_float() -> None:
    assert Collection("p", Price).load({"amount": Decimal128("1.5")}).amount == 1.5
    with pytest.raises(ContractError, match="amount"):
        Collection("p", Price).load({"amount": "much"})


INDEXES: list[dict[str, Any]] = [
    {"keys": [("x", 1)], "collation": {"locale": "de"}}, {"keys": [("x", 1)], "collation": {"locale": "fr_CA", "strength": 2}},
    {"keys": [("x", 1)], "unique": False, "sparse": False, "hidden": False}, {"keys": [("x", "text"), ("y", "text")], "weights": {"x": 10}},
    {"keys": [("x", "text")], "default_language": "german"}, {"keys": [("$**", 1)], "wildcardProjection": {"x": 1}},
    {"keys": [("x", "2dsphere")]}, {"keys": [("x", "hashed")]}, {"keys": [("x", 1)], "expireAfterSeconds": 60},
    {"keys": [("x", "2d")], "min": -10, "max": 10}, {"keys": [("x", 1), ("y", "text"), ("z", -1)]},
    {"keys": [("x", 1)], "partialFilterExpression": {"x": {"$gt": 5}}},
]  # fmt: skip


def loose(**options: Any) -> Collection[Any]:
    return Collection("loose", create_model("Loose"), **options)


@pytest.mark.parametrize("options", INDEXES, ids=str)
def test_every_kind_of_index_is_itself(mongo_db: Any, options: dict[str, Any]) -> None:
    for _ in range(2):
        loose(
            indexes=[
                IndexModel(options["keys"], name="i", **{k: v for k, v in options.items() if k != "keys"})
            ]
        ).create(mongo_db)


CHANGED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"collation": {"locale": "de"}}, {"collation": {"locale": "de", "strength": 1}}, "collation is .* declared"),
    ({"collation": {"locale": "de"}}, {}, "collation is .* declared absent"),
    ({}, {"unique": True}, "unique is absent, declared True"),
    ({"sparse": True}, {}, "sparse is True, declared absent"),
    ({"expireAfterSeconds": 60}, {"expireAfterSeconds": 61}, "expireAfterSeconds is 60, declared 61"),
    ({"partialFilterExpression": {"x": 1}}, {"partialFilterExpression": {"x": 2}}, "partialFilterExpression"),
]  # fmt: skip


@pytest.mark.parametrize(("live", "declared", "said"), CHANGED, ids=[c[2] for c in CHANGED])
def test_another_option_is_drift(
    mongo_db: Any, live: dict[str, Any], declared: dict[str, Any], said: str
) -> None:
    loose(indexes=[IndexModel([("x", 1)], name="i", **live)]).create(mongo_db)
    with pytest.raises(DriftError, match=f"loose: index i: {said}"):
        loose(indexes=[IndexModel([("x", 1)], name="i", **declared)]).create(mongo_db)


def test_languages_of_text_indexes_differ(mongo_db: Any) -> None:
    loose(indexes=[IndexModel([("x", "text")], name="i", default_language="german")]).create(mongo_db)
    with pytest.raises(DriftError, match="default_language is 'german', declared 'english'"):
        loose(indexes=[IndexModel([("x", "text")], name="i")]).create(mongo_db)


def test_the_same_keys_under_another_name_are_drift(mongo_db: Any) -> None:
    loose(indexes=[IndexModel([("x", 1)], name="one")]).create(mongo_db)
    with pytest.raises(DriftError, match=r"different name: one.*drop that index, or declare its name"):
        loose(indexes=[IndexModel([("x", 1)], name="two")]).create(mongo_db)


def test_all_that_differs_is_told_at_once(mongo_db: Any) -> None:
    loose(indexes=[IndexModel([("x", 1)], name="i")]).create(mongo_db)
    other = loose(level="moderate", action="warn", indexes=[IndexModel([("x", -1)], name="i")])
    with pytest.raises(DriftError) as caught:
        other.create(mongo_db)
    for said in ("validationLevel is 'strict'", "validationAction is 'error'", "index i: key is"):
        assert said in str(caught.value)


def test_a_schema_of_tuples_is_the_lists_that_the_server_has(mongo_db: Any) -> None:
    for _ in range(2):
        loose(schema={"bsonType": "object", "required": ("x",)}).create(mongo_db)


STAMPED = Collection("stamped", Strict, timestamps=("made", "changed"))


def test_set_on_insert_gives_way_to_set(mongo_db: Any) -> None:
    long_ago = datetime.datetime(2000, 1, 1, tzinfo=UTC)
    update = {"$setOnInsert": {"changed": long_ago, "name": "a"}, "$inc": {"n": 1}}
    for _ in range(2):
        mongo_db.stamped.update_one({"_id": 1}, STAMPED.touch(update), upsert=True)
    assert mongo_db.stamped.find_one()["changed"].year > 2000
    assert update["$setOnInsert"] == {"changed": long_ago, "name": "a"}
    assert set(STAMPED.touch({"$setOnInsert": {"changed": long_ago}})) == {"$set"}


@pytest.mark.parametrize(
    "update",
    [
        {"$rename": {"old": "changed"}},
        {"$unset": {"changed": ""}},
        {"$set": {"changed.x": 1}},
        {},
        {"$set": {}},
    ],
    ids=str,
)
def test_touch_makes_no_conflict(mongo_db: Any, update: dict[str, Any]) -> None:
    mongo_db.stamped.insert_one({"_id": 1, "old": 1})
    mongo_db.stamped.update_one({"_id": 1}, STAMPED.touch(update))


def test_a_pipeline_is_told_how(mongo_db: Any) -> None:
    pipeline: Any = [{"$set": {"name": "b"}}]
    with pytest.raises(ContractError, match=r'"changed": "\$\$NOW"'):
        STAMPED.touch(pipeline)


def test_timestamps_are_names_in_the_document() -> None:
    with pytest.raises(ContractError, match="long_name is stored as longName"):
        Collection("camels", Camel, timestamps=("long_name", "x"))
    with pytest.raises(ContractError, match=r"cannot be called 'a\.b'"):
        Collection("camels", Camel, timestamps=("a.b", "x"))


class Tree(RootModel[list["Tree"]]):
    pass


def test_a_root_model_within_itself_is_told() -> None:
    with pytest.raises(ContractError, match="Tree holds Tree again"):
        Collection("t", create_model("M", f=(Tree, ...)))
