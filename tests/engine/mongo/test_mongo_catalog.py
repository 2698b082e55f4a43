"""Every kind of difference between two MongoDB databases is told, and none between equal ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo import IndexModel

from dbtrust.engine.mongo.catalog import LEDGER, index_definition, indexes, snapshot
from dbtrust.model.catalog import Catalog

SCHEMA = {
    "bsonType": "object",
    "required": ["name", "price"],
    "properties": {"price": {"bsonType": ["int", "double"], "minimum": 0}, "kind": {"enum": ["a", "b"]}},
}


#: Everything that can differ. A test makes only what it changes: every collection and index is a file of the server.
COLLECTIONS: dict[str, dict[str, Any]] = {
    "things": {"validator": {"$jsonSchema": SCHEMA}},
    "others": {"validator": {"price": {"$gte": 0}, "active": {"$eq": True}}},
    "log": {"capped": True, "size": 8192, "max": 10},
    "cheap": {"viewOn": "things", "pipeline": [{"$match": {"price": 1}}, {"$sort": {"a": 1, "b": -1}}]},
    "french": {"collation": {"locale": "fr"}},
    "readings": {"timeseries": {"timeField": "t"}, "expireAfterSeconds": 60},
    "images": {"changeStreamPreAndPostImages": {"enabled": True}},
}
INDEXES = [
    IndexModel([("kind", 1), ("price", -1)], name="idx_main"),
    IndexModel([("mail", 1)], name="idx_unique", unique=True),
    IndexModel([("note", 1)], name="idx_sparse", sparse=True),
    IndexModel([("stock", 1)], name="idx_partial", partialFilterExpression={"stock": {"$lt": 10}}),
    IndexModel([("seen", 1)], name="idx_ttl", expireAfterSeconds=60),
    IndexModel([("title", 1)], name="idx_collation", collation={"locale": "en", "strength": 2}),
    IndexModel([("words", "text"), ("more", "text")], name="idx_text", weights={"words": 3}),
    IndexModel([("wild.$**", 1)], name="idx_wild"),
]


def build(db: Any, only: str = "") -> None:
    """Everything, or the one collection and the one index of it that a subject names."""
    collection, _, index = only.partition(".")
    for name, options in COLLECTIONS.items():
        if name == collection or not only:
            db.create_collection(name, **options)
    wanted = [i for i in INDEXES if i.document["name"] == index or not only]
    if wanted:
        db.things.create_indexes(wanted)


def remake(collection: str, name: str, **changes: Any) -> Callable[[Any], None]:
    """Drops an index and builds it otherwise."""

    def change(db: Any) -> None:
        spec = next(s for s in indexes(db, collection) if s["name"] == name)
        db[collection].drop_index(name)
        new = {key: value for key, value in (spec | changes).items() if value is not None}
        db.command({"createIndexes": collection, "indexes": [new]})

    return change


def again(collection: str, **options: Any) -> Callable[[Any], None]:
    """Drops a collection or view and makes it otherwise."""

    def change(db: Any) -> None:
        db.drop_collection(collection)
        db.create_collection(collection, **options)

    return change


def mod(collection: str, **options: Any) -> Callable[[Any], None]:
    return lambda db: db.command("collMod", collection, **options)


def schema(**changes: Any) -> Callable[[Any], None]:
    return mod("things", validator={"$jsonSchema": SCHEMA | changes})


CHANGES: list[tuple[str, str, Callable[[Any], None]]] = [
    ("missing collection", "others", lambda db: db.drop_collection("others")),
    ("extra collection", "new", lambda db: db.create_collection("new")),
    ("missing index", "things.idx_main", lambda db: db.things.drop_index("idx_main")),
    ("extra index", "things.idx_new", lambda db: db.things.create_index([("z", 1)], name="idx_new")),
    ("key order", "things.idx_main", remake("things", "idx_main", key={"price": -1, "kind": 1})),
    ("key direction", "things.idx_main", remake("things", "idx_main", key={"kind": 1, "price": 1})),
    ("key kind", "things.idx_main", remake("things", "idx_main", key={"kind": "hashed"})),
    ("fewer keys", "things.idx_main", remake("things", "idx_main", key={"kind": 1})),
    ("unique", "things.idx_unique", remake("things", "idx_unique", unique=None)),
    ("sparse", "things.idx_sparse", remake("things", "idx_sparse", sparse=None)),
    (
        "partial filter",
        "things.idx_partial",
        remake("things", "idx_partial", partialFilterExpression={"stock": {"$lt": 11}}),
    ),
    (
        "partial operator",
        "things.idx_partial",
        remake("things", "idx_partial", partialFilterExpression={"stock": {"$lte": 10}}),
    ),
    (
        "no partial filter",
        "things.idx_partial",
        remake("things", "idx_partial", partialFilterExpression=None),
    ),
    (
        "true is not 1",
        "things.idx_partial",
        remake("things", "idx_partial", partialFilterExpression={"stock": {"$lt": 10}, "on": True}),
    ),
    (
        "expiry",
        "things.idx_ttl",
        mod("things", index={"name": "idx_ttl", "expireAfterSeconds": 61}),
    ),
    ("hidden", "things.idx_main", mod("things", index={"name": "idx_main", "hidden": True})),
    ("prepareUnique", "things.idx_main", mod("things", index={"name": "idx_main", "prepareUnique": True})),
    (
        "collation strength",
        "things.idx_collation",
        remake("things", "idx_collation", collation={"locale": "en", "strength": 3}),
    ),
    ("no collation", "things.idx_collation", remake("things", "idx_collation", collation=None)),
    ("weights", "things.idx_text", remake("things", "idx_text", weights={"words": 2, "more": 1})),
    ("language", "things.idx_text", remake("things", "idx_text", default_language="french")),
    ("wildcard path", "things.idx_wild", remake("things", "idx_wild", key={"wilder.$**": 1})),
    ("validation level", "things", mod("things", validationLevel="moderate")),
    ("validation action", "things", mod("things", validationAction="warn")),
    ("no validator", "things", mod("things", validator={})),
    ("required", "things", schema(required=["name"])),
    ("minimum", "things", schema(properties=SCHEMA["properties"] | {"price": {"minimum": 1}})),
    ("enum", "things", schema(properties=SCHEMA["properties"] | {"kind": {"enum": ["a", "c"]}})),
    ("additional properties", "things", schema(additionalProperties=True)),
    ("match validator", "others", mod("others", validator={"price": {"$gt": 0}, "active": {"$eq": True}})),
    ("match value type", "others", mod("others", validator={"price": {"$gte": 0}, "active": {"$eq": 1}})),
    ("capped size", "log", again("log", capped=True, size=16384, max=10)),
    ("capped count", "log", again("log", capped=True, size=8192, max=11)),
    ("not capped", "log", again("log")),
    ("view pipeline", "cheap", again("cheap", viewOn="things", pipeline=[{"$match": {"price": 2}}])),
    (
        "order in a view's sort",
        "cheap",
        again("cheap", viewOn="things", pipeline=[{"$match": {"price": 1}}, {"$sort": {"b": -1, "a": 1}}]),
    ),
    (
        "view source",
        "cheap",
        again("cheap", viewOn="others", pipeline=[{"$match": {"price": 1}}, {"$sort": {"a": 1, "b": -1}}]),
    ),
    ("a table for a view", "cheap", again("cheap")),
    ("collection collation", "french", again("french", collation={"locale": "de"})),
    ("time series expiry", "readings", mod("readings", expireAfterSeconds=61)),
    ("time field", "readings", again("readings", timeseries={"timeField": "at"}, expireAfterSeconds=60)),
    ("pre-images", "images", mod("images", changeStreamPreAndPostImages={"enabled": False})),
    ("clustered", "french", again("french", clusteredIndex={"key": {"_id": 1}, "unique": True})),
]


def changed(before: Catalog, after: Catalog) -> set[str]:
    """Names of the objects that are not equal on both sides."""
    old, new = ({(o.kind, o.name): dict(o.definition) for o in c.objects} for c in (before, after))
    return {key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


@pytest.mark.parametrize(("name", "changing"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_a_difference_is_told_on_its_object(
    mongo_db: Any, name: str, changing: Callable[[Any], None]
) -> None:
    build(mongo_db, name)
    before = snapshot(mongo_db)
    changing(mongo_db)
    found = changed(before, snapshot(mongo_db))
    assert name in found
    assert {item.split(".")[0] for item in found} == {name.split(".")[0]}  # nothing else moved


def test_there_are_enough_kinds() -> None:
    assert len({c[0] for c in CHANGES}) >= 20


def test_equal_databases_are_equal(mongo_db: Any, mongo_client: Any) -> None:
    build(mongo_db)
    twin = mongo_client[f"{mongo_db.name}_twin"]
    try:
        build(twin)
        assert snapshot(mongo_db) == snapshot(twin)
    finally:
        mongo_client.drop_database(twin.name)


@pytest.mark.parametrize("number", [1, 1.0, Int64(1), Decimal128("1")])
def test_how_a_number_was_sent_does_not_matter(mongo_db: Any, number: Any) -> None:
    spec = {
        "key": {"a": number},
        "name": "i",
        "partialFilterExpression": {"a": {"$gt": number}, "b": {"$lt": 1.5}},
    }
    mongo_db.command({"createIndexes": "c", "indexes": [{**spec, "expireAfterSeconds": 60}]})
    found = snapshot(mongo_db).find("index", "c.i")
    assert found is not None
    assert found.definition == {
        "key": [["a", 1]],
        "partialFilterExpression.a.$gt": 1,
        "partialFilterExpression.b.$lt": 1.5,
        "expireAfterSeconds": 60,
    }


def test_defaults_and_their_absence_are_equal(mongo_db: Any) -> None:
    mongo_db.create_collection("plain")
    mongo_db.create_collection("said", validationLevel="strict", validationAction="error")
    mongo_db.plain.create_index([("a", 1)], name="i")
    mongo_db.said.create_index([("a", 1)], name="i", unique=False, sparse=False)
    catalog = snapshot(mongo_db)
    for kind, suffix in (("collection", ""), ("index", ".i")):
        plain, said = catalog.find(kind, f"plain{suffix}"), catalog.find(kind, f"said{suffix}")
        assert plain is not None
        assert said is not None
        assert plain.definition == said.definition


def test_order_counts_where_the_server_says_so() -> None:
    def partial(filter: dict[str, Any]) -> dict[str, Any]:
        return index_definition({"name": "i", "key": {"a": 1}, "partialFilterExpression": filter})

    assert partial({"a": 1, "b": 2}) == partial({"b": 2, "a": 1})
    assert partial({"a": {"x": 1, "y": 2}}) != partial({"a": {"y": 2, "x": 1}})
    assert partial({"a": "true"}) != partial({"a": True})
    assert partial({}) != index_definition({"name": "i", "key": {"a": 1}})
    assert (
        partial({"$or": [{"a": 1}, {"b": {"$exists": True}}]})["partialFilterExpression.$or.1.b.$exists"]
        == "true"
    )


def test_schemas_are_sets_where_order_means_nothing(mongo_db: Any) -> None:
    mongo_db.create_collection("a", validator={"$jsonSchema": SCHEMA})
    turned = {
        "required": ["price", "name"],
        **{key: SCHEMA[key] for key in reversed(SCHEMA) if key != "required"},
    }
    mongo_db.create_collection("b", validator={"$jsonSchema": turned})
    catalog = snapshot(mongo_db)
    one, two = catalog.find("collection", "a"), catalog.find("collection", "b")
    assert one is not None
    assert two is not None
    assert one.definition == two.definition
    assert one.definition["validator.$jsonSchema.required"] == ["name", "price"]
    assert one.definition["validator.$jsonSchema.properties.price.minimum"] == 0


def test_the_ledger_and_system_collections_are_left_out(mongo_db: Any) -> None:
    mongo_db[LEDGER].insert_one({})
    mongo_db.create_collection("v", viewOn="c", pipeline=[])
    assert [(o.kind, o.name) for o in snapshot(mongo_db).objects] == [("collection", "v")]


def test_every_schema_shape_has_leaves(mongo_db: Any) -> None:
    nested = {
        "anyOf": [{"required": ["a"]}, {"properties": {}}],
        "properties": {"n": {"not": {"enum": [1, "1", None, {"x": 1}]}}},
    }
    mongo_db.create_collection(
        "c", validator={"$and": [{"$jsonSchema": nested}, {"$expr": {"$gt": ["$a", "$b"]}}]}
    )
    found = snapshot(mongo_db).find("collection", "c")
    assert found is not None
    assert {key: value for key, value in found.definition.items() if key.startswith("validator.")} == {
        "validator.$and.0.$jsonSchema.anyOf.0.required": ["a"],
        "validator.$and.0.$jsonSchema.anyOf.1.properties": "{}",
        "validator.$and.0.$jsonSchema.properties.n.not.enum": ['"1"', 1, "null", '{"x": 1}'],
        "validator.$and.1.$expr": '{"$gt": ["$a", "$b"]}',
    }


def test_indexes_of_no_collection(mongo_db: Any) -> None:
    assert indexes(mongo_db, "nowhere") == []
