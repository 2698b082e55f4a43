"""Values of every type through dump, BSON and load; what create, touch and odd models do."""

from __future__ import annotations

import datetime
import decimal
import enum
import threading
import uuid
from typing import Any, Literal

import bson
import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field
from pymongo import IndexModel

from dbtrust import Collection, ContractError, DriftError
from dbtrust.queries.json_schema import json_schema


class Level(enum.Enum):
    LOW = 1
    HIGH = "high"


class Part(BaseModel):
    price: decimal.Decimal
    key: uuid.UUID


class Whole(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    id: int | None = Field(default=None, alias="_id")
    price: decimal.Decimal
    maybe: decimal.Decimal | None = None
    key: uuid.UUID
    level: Level
    levels: dict[str, Level] = {}
    words: set[str] = set()
    pair: tuple[int, str] = (1, "a")
    parts: list[Part] = []
    at: datetime.datetime
    blob: bytes = b""
    kind: Literal["a", 1] = "a"
    loose: Any = None


WHOLES = Collection("wholes", Whole)
CODEC: CodecOptions[Any] = CodecOptions(tz_aware=True, uuid_representation=4)
#: BSON keeps milliseconds, and decimal128 34 digits.
moments = st.datetimes(
    min_value=datetime.datetime(1980, 1, 1),
    max_value=datetime.datetime(2100, 1, 1),
    timezones=st.just(datetime.UTC),
).map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000))
prices = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20)
wholes = st.builds(
    Whole, id=st.integers(0, 2**31), price=prices, maybe=st.none() | prices, key=st.uuids(), level=st.sampled_from(Level),
    levels=st.dictionaries(st.text("abc", max_size=3), st.sampled_from(Level), max_size=3),
    words=st.sets(st.text(max_size=5), max_size=3), pair=st.tuples(st.integers(-5, 5), st.text(max_size=3)),
    parts=st.lists(st.builds(Part, price=prices, key=st.uuids()), max_size=3), at=moments, blob=st.binary(max_size=8),
    kind=st.sampled_from(["a", 1]), loose=st.none() | st.integers(-5, 5) | st.text(max_size=4),
)  # fmt: skip


@given(wholes)
def test_a_document_comes_back_as_it_went(whole: Whole) -> None:
    sent = bson.encode(WHOLES.dump(whole), codec_options=CODEC)
    assert WHOLES.load(bson.decode(sent, codec_options=CODEC)) == whole
    assert RawBSONDocument(sent)["_id"] == whole.id


def test_the_server_takes_what_dump_gives(mongo_db: Any) -> None:
    WHOLES.create(mongo_db)
    whole = Whole(
        id=1, price=decimal.Decimal("1.10"), key=uuid.UUID(int=7), level=Level.HIGH, levels={"a": Level.LOW},
        words={"x"}, parts=[Part(price=decimal.Decimal(2), key=uuid.UUID(int=8))],
        at=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), loose=[decimal.Decimal(1)],
    )  # fmt: skip
    mongo_db.wholes.insert_one(WHOLES.dump(whole))
    found = mongo_db.wholes.with_options(CODEC).find_one()
    assert WHOLES.load(found) == whole


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Numbers(RootModel[list[int]]):
    pass


class Computed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    secret: str = Field(default="s", exclude=True)

    @computed_field
    @property
    def shout(self) -> str:
        return self.name.upper()


def test_models_without_a_form_are_told() -> None:
    with pytest.raises(ContractError, match=r"Node holds Node again .*pass schema="):
        json_schema(Node)
    with pytest.raises(ContractError, match="a document is no Numbers"):
        Collection("n", Numbers)
    assert Collection("n", Node, schema={"bsonType": "object"}).dump(Node(name="a")) == {
        "name": "a",
        "children": [],
    }


def test_computed_and_excluded_fields_stay_out(mongo_db: Any) -> None:
    computed = Collection("computed", Computed)
    computed.create(mongo_db)
    document = computed.dump(Computed(name="a"))
    assert document == {"name": "a"}
    mongo_db.computed.insert_one(document)
    assert computed.load({"name": "b"}).shout == "B"


def test_a_document_that_does_not_fit_says_where() -> None:
    with pytest.raises(ContractError) as caught:
        WHOLES.load({"_id": 5, "price": "x", "key": uuid.UUID(int=1), "level": "none"})
    for said in (
        "wholes 5 does not fit Whole",
        "price: ",
        "level: ",
        "at: Field required",
        "mend the document",
    ):
        assert said in str(caught.value)


STAMPED = Collection("stamped", Computed, timestamps=("made", "changed"))


def test_touch_never_makes_a_conflict(mongo_db: Any) -> None:
    mongo_db.stamped.insert_one({"_id": 1, "name": "a"})
    for update in (
        {"$set": {"name": "b"}}, {"$currentDate": {"changed": True}}, {"$unset": {"changed": 1}}, {"$inc": {"n": 1}},
        {"$max": {"changed": datetime.datetime(2030, 1, 1)}},
    ):  # fmt: skip
        mongo_db.stamped.update_one({"_id": 1}, STAMPED.touch(update))
    assert mongo_db.stamped.find_one({"_id": 1})["changed"].year == 2030
    mongo_db.stamped.replace_one({"_id": 1}, STAMPED.touch({"name": "c"}))
    assert set(mongo_db.stamped.find_one({"_id": 1})) == {"_id", "name", "changed"}


def test_many_may_create_at_once(mongo_db: Any) -> None:
    indexed = Collection(
        "indexed", Node, schema={"bsonType": "object"}, indexes=[IndexModel("name", name="by_name")]
    )
    errors: list[Exception] = []

    def create() -> None:
        try:
            indexed.create(mongo_db)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(mongo_db.indexed.index_information()) == {"_id_", "by_name"}


@pytest.mark.parametrize("kind", ["view", "capped", "collation"])
def test_a_collection_of_another_kind_is_drift(mongo_db: Any, kind: str) -> None:
    mongo_db.create_collection("source")
    options: dict[str, Any] = {
        "view": {"viewOn": "source", "pipeline": []}, "capped": {"capped": True, "size": 4096},
        "collation": {"collation": {"locale": "de"}},
    }[kind]  # fmt: skip
    mongo_db.create_collection("computed", **options)
    with pytest.raises(DriftError, match=kind):
        Collection("computed", Computed).create(mongo_db)
