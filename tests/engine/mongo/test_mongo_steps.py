"""Each step there and back: the catalog after the way back is the one before, and the second way the first."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo import batches
from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.resume import Catalogue
from dbtrust.engine.mongo.steps import apply, inverse_of, revert
from dbtrust.migrations import (
    create_collection,
    create_index,
    drop_collection,
    drop_index,
    rename_collection,
    set_validator,
    step,
    update_in_batches,
)
from dbtrust.model.errors import DriftError, QueryFileError
from dbtrust.model.steps import Step

SCHEMA = {"required": ["name"], "properties": {"price": {"minimum": 0}}}


#: A test makes only what its step names: every collection and index is a file of the server.
COLLECTIONS: dict[str, dict[str, Any]] = {
    "old": {
        "validator": {"$jsonSchema": {"required": ["a"]}},
        "validationLevel": "moderate",
        "validationAction": "warn",
        "collation": {"locale": "fr"},
    },
    "view": {"viewOn": "old", "pipeline": [{"$match": {"a": 1}}]},
    "log": {"capped": True, "size": 8192, "max": 5},
    "readings": {"timeseries": {"timeField": "t", "metaField": "m"}},
    "clustered": {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
    "bare": {},
}
SIMPLE = {"locale": "simple"}
INDEXES = [
    IndexModel([("a", 1)], name="idx_a", unique=True, partialFilterExpression={"a": {"$gt": 1.0}}),
    IndexModel([("b", 1)], name="idx_b", collation={"locale": "en", "strength": 2}, hidden=True),
    IndexModel([("t", "text"), ("u", "text")], name="idx_t", weights={"t": 3}, collation=SIMPLE),
    IndexModel([("w.$**", 1)], name="idx_w", collation=SIMPLE),
    IndexModel([("g", "2dsphere")], name="idx_g", collation=SIMPLE),
    IndexModel([("e", 1)], name="idx_e", expireAfterSeconds=3600, sparse=True),
]
INDEX_NAMES = {i.document["name"] for i in INDEXES}


def build(db: Any, *steps: Step) -> Any:
    """The collections that the steps name; "old" with every kind of index, or the one that a step is about."""
    names = {getattr(s, part, None) for s in steps for part in ("collection", "name", "old", "new")}
    for name in COLLECTIONS.keys() & names:
        db.create_collection(name, **COLLECTIONS[name])
    about = {getattr(s, "name", "") for s in steps} - {"old"}
    wanted = [i for i in INDEXES if i.document["name"] in about] if about & INDEX_NAMES else INDEXES
    if "old" in names:
        db.old.create_indexes(wanted)
    return db


STEPS: list[Step] = [
    create_collection("new"),
    create_collection("new", validator=SCHEMA, level="moderate", action="warn"),
    create_collection("new", validator={"price": {"$gte": 0}}),
    *[drop_collection(name) for name in ("old", "view", "log", "readings", "clustered", "bare")],
    create_index("bare", [("a", 1), ("b", -1)], name="i"),
    create_index("bare", [("a", 1)], name="i", unique=True, partialFilterExpression={"a": {"$lt": 10}}),
    create_index("bare", [("t", "text")], name="i", weights={"t": 2}, default_language="french"),
    create_index("bare", "a", name="i", collation={"locale": "en"}, hidden=True, expireAfterSeconds=5),
    create_index("nowhere", [("a", 1)], name="i"),
    *[drop_index("old", f"idx_{letter}") for letter in "abtwge"],
    set_validator("bare", SCHEMA),
    set_validator("old", SCHEMA, level="strict", action="error"),
    set_validator("old", None),
    set_validator("bare", None),
    rename_collection("bare", "renamed"),
    rename_collection("log", "renamed"),
]


@pytest.mark.parametrize("one", STEPS, ids=lambda s: s.describe())
def test_there_and_back_and_there(mongo_db: Any, one: Step) -> None:
    db = build(mongo_db, one)
    before = snapshot(db)
    undo = apply(db, one)
    after = snapshot(db)
    stored = bson.decode(bson.encode({"undo": undo}))["undo"]  # as a ledger keeps it
    revert(db, one, stored)
    assert snapshot(db) == before
    apply(db, one)
    assert snapshot(db) == after
    assert undo["applied"]
    assert inverse_of(one)


def test_an_undo_can_be_stored_by_the_server(mongo_db: Any) -> None:
    db = build(mongo_db, set_validator("old", None))
    undo = apply(db, set_validator("old", SCHEMA))
    db.ledger.insert_one({"_id": 1})
    db.ledger.update_one({"_id": 1}, {"$set": {"undo": undo}})
    revert(db, set_validator("old", SCHEMA), db.ledger.find_one()["undo"])
    assert db.old.options()["validator"] == {"$jsonSchema": {"required": ["a"]}}


def test_what_is_there_as_wanted_is_left_alone_both_ways(mongo_db: Any) -> None:
    db = build(mongo_db, drop_index("old", "idx_e"), create_collection("bare"))
    for one in (
        create_collection("bare"),
        create_index(
            "old", [("e", 1)], name="idx_e", expireAfterSeconds=3600, sparse=True, collation={"locale": "fr"}
        ),
    ):
        before = snapshot(db)
        undo = apply(db, one)
        assert undo == {"applied": False}
        revert(db, one, undo)
        assert snapshot(db) == before


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (create_collection("old"), "collection old exists and differs: collation.alternate is"),
        (create_collection("bare", validator=SCHEMA), "validator.$jsonSchema.properties.price.minimum is None, wanted 0"),
        (create_collection("view"), "type is 'view', wanted 'collection'"),
        (create_collection("log"), "capped is True, wanted None"),
        (create_index("old", [("b", 1)], name="idx_a"), "index old.idx_a exists and differs: key is"),
        (create_index("old", [("a", 1)], name="other", unique=True, partialFilterExpression={"a": {"$gt": 1}}), "exists under another name, idx_a"),
        (create_index("old", [("b", 1)], name="idx_b", collation={"locale": "en", "strength": 2}), "hidden is True, wanted None"),
        (create_index("old", [("e", 1)], name="idx_e", expireAfterSeconds=1, sparse=True), "expireAfterSeconds is 3600, wanted 1"),
        (create_index("old", [("e", 1)], name="idx_e", sparse=True), "expireAfterSeconds is 3600, wanted None"),
        (drop_index("old", "idx_x"), "there is no index old.idx_x"),
        (drop_index("olt", "idx_a"), "there is no collection olt (did you mean old?)"),
        (drop_collection("zzz"), "there is no collection zzz (was it made before this step?)"),
        (set_validator("zzz", None), "there is no collection zzz"),
        (rename_collection("zzz", "y"), "there is no collection zzz"),
        (rename_collection("bare", "old"), "collection old exists already"),
        (update_in_batches("zzz", {}, {"$set": {"a": 1}}), "there is no collection zzz"),
    ],
)  # fmt: skip
def test_another_state_is_drift_and_nothing_changes(mongo_db: Any, one: Step, said: str) -> None:
    db = build(mongo_db, one, *([drop_collection("old")] if "olt" in said else []))
    before = snapshot(db)
    with pytest.raises(DriftError) as caught:
        apply(db, one)
    assert said in str(caught.value)
    assert caught.value.next
    assert snapshot(db) == before


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ([("note", "text")], {}),
        ([("$**", "text")], {"default_language": "german"}),
        ([("a", 1), ("title", "text"), ("body", "text"), ("z", -1)], {"weights": {"title": 5}}),
        ([("title", "text")], {"weights": {"title": 5, "more": 2}}),
    ],
)
def test_a_text_index_that_is_there_is_known_again(mongo_db: Any, keys: Any, options: Any) -> None:
    """The server keeps it under _fts: a build whose end an interrupted run has not heard of is no other index."""
    one, catalogue = create_index("c", keys, name="words", **options), Catalogue(mongo_db, lambda name: None)
    stored = catalogue.prepare(one)
    catalogue.forward(one, stored, again=False)
    before = snapshot(mongo_db)
    catalogue.forward(one, stored, again=True)
    assert stored["applied"] and catalogue.prepare(one) == {"applied": False}
    assert snapshot(mongo_db) == before
    other = create_index("c", [*keys[:-1], ("other", keys[-1][1])], name="words", **options)
    with pytest.raises(DriftError, match=r"index c\.words exists and differs: key is"):
        catalogue.prepare(other)


def test_going_back_over_another_state_is_drift(mongo_db: Any) -> None:
    db = build(mongo_db, drop_collection("bare"))
    undo = apply(db, drop_collection("bare"))
    db.create_collection("bare")
    with pytest.raises(DriftError, match="exists already"):
        revert(db, drop_collection("bare"), undo)
    made = apply(db, create_collection("made"))
    db.drop_collection("made")
    with pytest.raises(DriftError, match="there is no collection made"):
        revert(db, create_collection("made"), made)


def test_an_index_that_made_its_collection_does_not_take_documents_with_it(mongo_db: Any) -> None:
    one = create_index("late", [("a", 1)], name="i")
    undo = apply(mongo_db, one)
    mongo_db.late.insert_one({"a": 1})
    revert(mongo_db, one, undo)
    assert mongo_db.late.count_documents({}) == 1
    assert list(mongo_db.late.index_information()) == ["_id_"]


def test_the_servers_refusal_is_the_servers(mongo_db: Any) -> None:
    db = mongo_db
    db.bare.insert_many([{"a": 1}, {"a": 1}])
    with pytest.raises(OperationFailure) as caught:
        apply(db, create_index("bare", [("a", 1)], name="i", unique=True))
    assert caught.value.code == 11000


def test_no_step_is_an_error_of_the_migration(mongo_db: Any) -> None:
    with pytest.raises(QueryFileError, match="no migration step"):
        apply(mongo_db, object())  # type: ignore[arg-type]


# --- data


def ids(db: Any, **match: Any) -> list[Any]:
    return [document["_id"] for document in db.c.find(match).sort("_id", 1)]


@pytest.fixture
def rows(mongo_db: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Documents with _ids of several types, some of them changed already."""
    mongo_db.c.insert_many([{"_id": i, "done": i % 5 == 0} for i in (*range(20), 20.5, bson.Int64(21))])
    mongo_db.c.insert_many([{"_id": f"s{i}", "done": False} for i in range(5)])
    mongo_db.c.insert_many([{"_id": bson.ObjectId(), "done": False}, {"_id": {"k": 1}, "done": False}])
    return mongo_db


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_batches_reach_every_document_of_every_type_and_no_other(rows: Any, size: int) -> None:
    before = ids(rows, done=True)
    one = update_in_batches(
        "c",
        {"done": False},
        {"$set": {"done": True, "by": "us"}},
        size=size,
        revert={"$set": {"done": False}, "$unset": {"by": ""}},
    )
    undo = apply(rows, one)
    assert undo["documents"] == len(undo["ids"]) == 25
    assert ids(rows, done=False) == []
    revert(rows, one, undo)
    assert ids(rows, done=True) == before
    assert ids(rows, by="us") == []


def test_batches_are_bounded_and_repeatable(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = update_in_batches("c", {"done": False}, [{"$set": {"done": True}}], size=4)
    assert apply(rows, one)["documents"] == 25
    assert apply(rows, one)["documents"] == 0
    assert not inverse_of(one)
    with pytest.raises(QueryFileError, match="needs revert="):
        revert(rows, one, {})


def test_each_batch_is_a_range_of_ids() -> None:
    found = list(batches._ranges([1, 2.5, "a", "b"], exact=False))  # pyright: ignore[reportPrivateUsage]
    assert found == [{"_id": {"$gte": 1, "$lte": 2.5}}, {"_id": {"$gte": "a", "$lte": "b"}}]


def test_a_revert_may_be_a_pair_or_a_function(rows: Any) -> None:
    change = {"$set": {"done": True}}
    pair = update_in_batches("c", {"done": False}, change, revert=({"done": True}, {"$set": {"done": None}}))
    revert(rows, pair, apply(rows, pair))
    assert len(ids(rows, done=None)) == 29
    called: list[Any] = []
    function = update_in_batches("c", {"done": None}, change, revert=called.append)
    revert(rows, function, apply(rows, function))
    assert called == [rows]


def test_more_than_an_undo_can_hold_is_refused_before_anything_changes(
    rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "RECORDED_IDS", 10)
    one = update_in_batches("c", {"done": False}, {"$set": {"done": True}}, revert={"$set": {"done": False}})
    with pytest.raises(QueryFileError, match="more documents than an undo can remember"):
        apply(rows, one)
    assert len(ids(rows, done=False)) == 25


def test_custom_steps(mongo_db: Any) -> None:
    one = step(
        "seed",
        apply=lambda db: db.c.insert_one({"_id": 1}),
        revert=lambda db: db.c.delete_one({"_id": 1}),
        probe=lambda db: db.c.count_documents({"_id": 1}) == 1,
    )
    undo = apply(mongo_db, one)
    assert apply(mongo_db, one) == {"applied": False}
    revert(mongo_db, one, {"applied": False})
    assert mongo_db.c.count_documents({}) == 1
    revert(mongo_db, one, undo)
    assert mongo_db.c.count_documents({}) == 0
    bare = step("once", apply=lambda db: None)
    assert not inverse_of(bare)
    assert apply(mongo_db, bare) == {"applied": True}
    with pytest.raises(QueryFileError, match="step once needs revert="):
        revert(mongo_db, bare, {})
