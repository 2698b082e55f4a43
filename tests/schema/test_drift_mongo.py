"""Every kind of difference of a MongoDB database is told on its subject, and its repair, run, takes it away."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import bson
import pymongo
import pytest
from bson import SON, Binary, Int64, ObjectId, Regex, Timestamp
from bson.decimal128 import Decimal128

from dbtrust.engine.mongo import shell
from dbtrust.engine.mongo.catalog import catalog_of, specifications
from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.violations import Violations, duplicates, violators
from dbtrust.judge.catalog import diff
from dbtrust.model.errors import ServerError
from dbtrust.model.location import NOWHERE
from dbtrust.model.report import Verdict
from dbtrust.schema.drift import Live
from dbtrust.schema.drift_mongo import Asking, judge_drift

SCHEMA: dict[str, Any] = {
    "bsonType": "object", "required": ["sku"],
    "properties": {"sku": {"bsonType": "string"}, "price": {"minimum": 0}},
}  # fmt: skip


def base(db: Any) -> None:
    db.create_collection("a", validator={"$jsonSchema": SCHEMA})
    db.a.create_index([("sku", 1)], name="i")
    db.a.create_index([("at", 1)], name="ttl", expireAfterSeconds=60)
    db.a.create_index([("t", "text"), ("u", "text"), ("n", 1)], name="words", weights={"t": 3})
    db.a.create_index([("$**", 1)], name="wild", wildcardProjection={"secret": 0})
    db.a.create_index([("p", 1)], name="part", partialFilterExpression={"p": {"$gt": 1}})
    db.a.create_index([("s", 1)], name="sp", sparse=True)
    db.a.create_index([("c", 1), ("d", -1)], name="coll", collation={"locale": "en", "strength": 2})
    db.create_collection("cap", capped=True, size=4096, max=10)
    db.create_collection("ts", timeseries={"timeField": "t", "metaField": "m", "granularity": "minutes"})
    db.create_collection("clustered", clusteredIndex={"key": {"_id": 1}, "unique": True, "name": "k"})
    db.create_collection("plain")
    db.create_collection("v", viewOn="a", pipeline=[{"$match": {"x": 1}}])
    db.a.insert_many([{"sku": "one", "price": 1}, {"sku": "two"}])


def remake(db: Any, name: str, keys: Any, **options: Any) -> None:
    db.a.drop_index(name)
    db.a.create_index(keys, name=name, **options)


def anew(db: Any, name: str, **options: Any) -> None:
    db.drop_collection(name)
    db.create_collection(name, **options)


#: label: (change of the live database, subject, field or change, does running the repair take it away?)
KINDS: dict[str, tuple[Any, str, str, bool]] = {
    "collection dropped": (lambda db: db.drop_collection("plain"), "collection:plain", "missing", True),
    "collection left over": (lambda db: db.create_collection("old"), "collection:old", "extra", True),
    "view left over": (lambda db: db.create_collection("w", viewOn="v", pipeline=[]), "collection:w", "extra", True),
    "validator lost": (lambda db: db.command("collMod", "a", validator={}), "collection:a", "validator.$jsonSchema.required", True),
    "validator left over": (
        lambda db: db.command("collMod", "plain", validator={"x": {"$gt": 1}}), "collection:plain", "validator.x.$gt", True,
    ),
    "validator weaker": (
        lambda db: db.command("collMod", "a", validator={"$jsonSchema": SCHEMA | {"required": ["price"]}}),
        "collection:a", "validator.$jsonSchema.required", True,
    ),
    "level": (lambda db: db.command("collMod", "a", validationLevel="moderate"), "collection:a", "validationLevel", True),
    "action": (lambda db: db.command("collMod", "a", validationAction="warn"), "collection:a", "validationAction", True),
    "images": (
        lambda db: db.command("collMod", "a", changeStreamPreAndPostImages={"enabled": True}),
        "collection:a", "changeStreamPreAndPostImages.enabled", True,
    ),
    "view pipeline": (
        lambda db: db.command("collMod", "v", viewOn="a", pipeline=[{"$match": {"x": 2}}]), "collection:v", "pipeline", True,
    ),
    "view source": (
        lambda db: db.command("collMod", "v", viewOn="plain", pipeline=[{"$match": {"x": 1}}]), "collection:v", "viewOn", True,
    ),
    "capped size": (lambda db: db.command("collMod", "cap", cappedSize=8192), "collection:cap", "size", True),
    "capped maximum": (lambda db: db.command("collMod", "cap", cappedMax=11), "collection:cap", "max", True),
    "capped lost": (lambda db: anew(db, "cap"), "collection:cap", "capped", True),
    "capped left over": (lambda db: anew(db, "plain", capped=True, size=4096), "collection:plain", "capped", False),
    "collation": (lambda db: anew(db, "plain", collation={"locale": "de"}), "collection:plain", "collation.locale", False),
    "clustered lost": (lambda db: anew(db, "clustered"), "collection:clustered", "clusteredIndex.name", False),
    "granularity": (
        lambda db: anew(db, "ts", timeseries={"timeField": "t", "metaField": "m", "granularity": "seconds"}),
        "collection:ts", "timeseries.granularity", True,
    ),
    "meta field": (
        lambda db: anew(db, "ts", timeseries={"timeField": "t", "granularity": "minutes"}),
        "collection:ts", "timeseries.metaField", False,
    ),
    "time series expiry": (lambda db: db.command("collMod", "ts", expireAfterSeconds=99), "collection:ts", "expireAfterSeconds", True),
    "index dropped": (lambda db: db.a.drop_index("i"), "index:a.i", "missing", True),
    "index left over": (lambda db: db.plain.create_index([("z", 1)], name="z.z"), "index:plain.z.z", "extra", True),
    "index keys": (lambda db: remake(db, "i", [("sku", -1)]), "index:a.i", "key", True),
    "index key order": (
        lambda db: remake(db, "coll", [("d", -1), ("c", 1)], collation={"locale": "en", "strength": 2}),
        "index:a.coll", "key", True,
    ),
    "index collation": (
        lambda db: remake(db, "coll", [("c", 1), ("d", -1)], collation={"locale": "en", "strength": 1}),
        "index:a.coll", "collation.strength", True,
    ),
    "partial filter": (
        lambda db: remake(db, "part", [("p", 1)], partialFilterExpression={"p": {"$gt": 2}}),
        "index:a.part", "partialFilterExpression.p.$gt", True,
    ),
    "sparse": (lambda db: remake(db, "sp", [("s", 1)]), "index:a.sp", "sparse", True),
    "unique left over": (lambda db: remake(db, "i", [("sku", 1)], unique=True), "index:a.i", "unique", True),
    "expiry": (
        lambda db: db.command("collMod", "a", index={"name": "ttl", "expireAfterSeconds": 61}),
        "index:a.ttl", "expireAfterSeconds", True,
    ),
    "expiry lost": (lambda db: remake(db, "ttl", [("at", 1)]), "index:a.ttl", "expireAfterSeconds", True),
    "expiry left over": (lambda db: remake(db, "i", [("sku", 1)], expireAfterSeconds=5), "index:a.i", "expireAfterSeconds", True),
    "hidden": (lambda db: db.command("collMod", "a", index={"name": "i", "hidden": True}), "index:a.i", "hidden", True),
    "weights": (
        lambda db: remake(db, "words", [("t", "text"), ("u", "text"), ("n", 1)], weights={"t": 4}),
        "index:a.words", "weights.t", True,
    ),
    "wildcard projection": (
        lambda db: remake(db, "wild", [("$**", 1)], wildcardProjection={"other": 0}),
        "index:a.wild", "wildcardProjection.secret", True,
    ),
    "prepare unique": (
        lambda db: db.command("collMod", "a", index={"name": "i", "prepareUnique": True}), "index:a.i", "prepareUnique", True,
    ),
    "text index lost": (lambda db: db.a.drop_index("words"), "index:a.words", "missing", True),
    "clustered collection lost": (lambda db: db.drop_collection("clustered"), "collection:clustered", "missing", True),
    "time series lost": (lambda db: db.drop_collection("ts"), "collection:ts", "missing", True),
    "view lost": (lambda db: db.drop_collection("v"), "collection:v", "missing", True),
}  # fmt: skip


@pytest.fixture(scope="module")
def declared(mongo_url: str) -> Iterator[Any]:
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        db = client[f"t_{uuid4().hex[:12]}"]
        base(db)
        yield specifications(db)
        client.drop_database(db.name)


def drift(declared: Any, db: Any) -> list[Verdict]:
    asking = Asking(lambda c, v: violators(db, c, v), lambda c, s: duplicates(db, c, s))
    live = Live("mongo", "shop", db.name, "6.0.5", "6.0.5")
    return judge_drift(live, declared, specifications(db), lambda c, i: NOWHERE, asking)[0]


def run(db: Any, script: str) -> None:
    """Runs a script of mongosh: its literals are Python's but for these names."""
    names: dict[str, Any] = {
        "true": True, "false": False, "null": None, "Map": SON, "NumberLong": lambda t: Int64(int(t)), "Double": float,
        "ObjectId": ObjectId, "NumberDecimal": Decimal128, "db": db,
    }  # fmt: skip
    for line in script.splitlines():
        if not line.startswith("//"):
            assert line.startswith("db.runCommand(")
            text = line.removeprefix("db.runCommand(").removesuffix(");").replace("new Map(", "Map(")
            db.command(eval(text, names))  # noqa: S307 the text is our own


@pytest.mark.parametrize("label", KINDS)
def test_each_kind_is_told_and_mended(label: str, declared: Any, mongo_db: Any) -> None:
    change, subject, field, mends = KINDS[label]
    base(mongo_db)
    (equal,) = drift(declared, mongo_db)
    assert equal.verdict == "holds", equal.message
    change(mongo_db)
    found = drift(declared, mongo_db)
    verdicts = {v.subject: v for v in found}
    verdict = verdicts[subject]
    assert verdict.verdict == "refuted"
    assert field in {verdict.evidence["object"]["change"], *verdict.evidence["fields"]}, verdict.evidence
    assert verdict.next == verdict.evidence["repair"] != ""
    for verdict in sorted(found, key=lambda v: v.evidence["order"]):
        run(mongo_db, verdict.evidence["repair"])
    left = diff(catalog_of(declared), catalog_of(specifications(mongo_db)))
    assert (left == ()) == mends, [str(d) for d in left]
    if not mends:
        assert any(word in verdicts[subject].next for word in ("no command changes", "convertToCapped"))


def test_violators_are_counted_before_a_validator_is_made_strict(declared: Any, mongo_db: Any) -> None:
    base(mongo_db)
    mongo_db.command("collMod", "a", validator={})
    mongo_db.a.insert_many([{"_id": n, "price": n} for n in range(7)])
    (verdict,) = drift(declared, mongo_db)
    assert verdict.evidence["violators"] == {
        "count": 7,
        "more": False,
        "sample": ["0", "1", "2", "3", "4"],
        "why": "",
    }
    assert "7 documents violate the declared validator" in verdict.message
    assert verdict.next.startswith("// 7 documents violate")


def test_no_violator_is_said_too(declared: Any, mongo_db: Any) -> None:
    base(mongo_db)
    mongo_db.command("collMod", "a", validationAction="warn")
    (verdict,) = drift(declared, mongo_db)
    assert verdict.next.splitlines()[0] == "// no document violates the declared validator"


def test_a_unique_index_is_reached_in_three_steps_and_duplicates_are_told(mongo_db: Any) -> None:
    mongo_db.u.create_index([("a.b", 1), ("c", 1)], name="u", unique=True)
    declared = specifications(mongo_db)
    mongo_db.u.drop_index("u")
    mongo_db.u.create_index([("a.b", 1), ("c", 1)], name="u")
    mongo_db.u.insert_many([{"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1}, "c": None}, {"a": {"b": 2}}])
    (verdict,) = drift(declared, mongo_db)
    assert verdict.evidence["duplicates"]["count"] == 1
    assert verdict.evidence["duplicates"]["sample"] == ['{"k0": 1, "k1": null}']
    lines = [line for line in verdict.next.splitlines() if not line.startswith("//")]
    assert ["prepareUnique" in lines[0], "dryRun" in lines[1], "unique" in lines[2]] == [True] * 3
    with pytest.raises(pymongo.errors.OperationFailure):
        run(mongo_db, verdict.next)
    mongo_db.u.delete_many({"a.b": 1})
    (verdict,) = drift(declared, mongo_db)
    run(mongo_db, verdict.next)
    assert [v.verdict for v in drift(declared, mongo_db)] == ["holds"]


def test_duplicates_of_partial_sparse_and_collated_indexes(mongo_db: Any) -> None:
    mongo_db.d.insert_many([{"a": "x"}, {"a": "X"}, {"b": 1}, {"b": 1}])
    key = {"a": 1}
    assert duplicates(mongo_db, "d", {"key": key}).count == 1  # two documents without a
    assert duplicates(mongo_db, "d", {"key": key, "sparse": True}).count == 0
    collated = {"key": key, "sparse": True, "collation": {"locale": "en", "strength": 2, "version": "57.1"}}
    assert duplicates(mongo_db, "d", collated).count == 1
    partial = {"key": {"b": 1}, "partialFilterExpression": {"b": {"$gt": 1}}}
    assert duplicates(mongo_db, "d", partial).count == 0
    assert duplicates(mongo_db, "d", {"key": {"a": "hashed"}}).count is None


def test_a_question_that_the_server_refuses_is_not_an_answer(mongo_db: Any) -> None:
    mongo_db.d.insert_one({})
    assert violators(mongo_db, "d", {"$no": 1}).count is None
    assert isinstance(violators(mongo_db, "d", {"a": 1}), Violations)


HOSTILE = ("it's", 'quo"te', "a.b", "li\nne", "naïve ☃", "// x", "{y}", "__proto__", "7")


def test_hostile_names_round_trip(mongo_db: Any) -> None:
    for name in HOSTILE:
        collection = mongo_db[name]
        collection.create_index(
            [("b", 1), ("7", -1), (name, 1)], name=name, partialFilterExpression={"b": {"$gt": name}}
        )
    declared = specifications(mongo_db)
    mongo_db[HOSTILE[0]].drop_index(HOSTILE[0])
    for name in HOSTILE[1:]:
        mongo_db.drop_collection(name)
    found = drift(declared, mongo_db)
    assert {v.subject for v in found} >= {f"collection:{n}" for n in HOSTILE[1:]} | {
        f"index:{n}.{n}" for n in HOSTILE
    }
    for verdict in sorted(found, key=lambda v: v.evidence["order"]):
        run(mongo_db, verdict.next)
    assert [v.verdict for v in drift(declared, mongo_db)] == ["holds"]


def test_values_as_mongosh_reads_them() -> None:
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 6000, tzinfo=datetime.UTC)
    document = SON([
        ("b", 1), ("1", 2.0), ("l", Int64(5)), ("d", Decimal128("1.5")), ("t", moment), ("n", None), ("h", 1.5),
        ("r", Regex("a", "i")), ("x", Binary(b"ab", 5)), ("s", Timestamp(1, 2)), ("m", bson.MinKey()), ("big", 2**40),
    ])  # fmt: skip
    assert shell.value(document) == (
        'new Map([["b", 1], ["1", Double(2.0)], ["l", NumberLong("5")], ["d", NumberDecimal("1.5")], '
        '["t", ISODate("2024-01-02T03:04:05.006Z")], ["n", null], ["h", 1.5], ["r", BSONRegExp("a", "i")], '
        '["x", BinData(5, "YWI=")], ["s", Timestamp({t: 1, i: 2})], ["m", MinKey()], ["big", NumberLong("1099511627776")]])'
    )
    assert shell.value({"a": [True, "x\n"]}) == '{"a": [true, "x\\n"]}'


def test_a_role_that_may_not_list_indexes(mongo_url: str, mongo_db: Any) -> None:
    """What it may not see is not examined; nothing is made of it."""
    base(mongo_db)
    declared = specifications(mongo_db)
    name, admin = f"r_{uuid4().hex[:8]}", mongo_db.client.admin
    resource = {"db": mongo_db.name, "collection": ""}
    privileges = [{"resource": resource, "actions": ["listCollections"]}]
    admin.command("createRole", name, privileges=privileges, roles=[])
    admin.command("createUser", name, pwd="secret", roles=[name])
    try:
        _, _, rest = mongo_url.rpartition("@")
        address = rest.partition("/")[0].removeprefix("mongodb://")
        query = mongo_url.partition("?")[2]
        options = "&".join(o for o in query.split("&") if o and not o.lower().startswith("authsource"))
        with connect(f"mongodb://{name}:secret@{address}/?authSource=admin&{options}") as client:
            found = specifications(client[mongo_db.name], lenient=True)
    except ServerError:
        raise
    finally:
        admin.command("dropUser", name)
        admin.command("dropRole", name)
    live = Live("mongo", "shop", mongo_db.name, "6.0.5", "6.0.5")
    asking = Asking(lambda c, v: Violations(None), lambda c, s: Violations(None))
    (verdict,), left_out = judge_drift(live, declared, found, lambda c, i: NOWHERE, asking)
    assert (verdict.verdict, verdict.reason) == (
        "unproved",
        "undecided",
    ) and "not examined" in verdict.message
    assert len(left_out) == 5 and all("needs the right" in item.needs for item in left_out)
