"""The same on MongoDB: documents that were there, documents that only the new state allows, and then the down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust.engine.mongo.capture import Capture
from dbtrust.engine.mongo.connect import connect
from dbtrust.migrate.mongo import prove_mongo
from dbtrust.migrate.mongo_rows import lost
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.source.migrations import History

FIRST = """
from dbtrust.migrations import create_collection, create_index
SCHEMA = {"bsonType": "object", "required": ["name", "price"], "properties": {"name": {"bsonType": "string"}, "price": {"bsonType": "number", "minimum": 0}}}
steps = [
    create_collection("items", validator={"$jsonSchema": SCHEMA}),
    create_index("items", [("name", 1)], name="by_name", unique=True),
]
"""
CLOSED = (
    "{'$jsonSchema': {'properties': {'_id': {}, 'a': {'bsonType': 'string'}}, 'additionalProperties': False}}"
)
#: Collections for the cases that change documents alone.
OTHERS = """
from dbtrust.migrations import create_collection
steps = [
    create_collection("p"P),
    create_collection("closed", validator=CLOSED),
]
""".replace("CLOSED", CLOSED)
WITH_A = ", validator={'$jsonSchema': {'properties': {'a': {'bsonType': 'string'}}}}"
LOOSE = '{"bsonType": "object", "required": ["name"], "properties": {"name": {"bsonType": "string"}, "price": {"bsonType": "number"}}}'
STRICT = '{"bsonType": "object", "required": ["name", "price"], "properties": {"name": {"bsonType": "string"}, "price": {"bsonType": "number", "minimum": 0}}}'
#: name: (second migration, check, verdict, words of its message)
CASES: dict[str, tuple[str, str, str, str]] = {
    "looser validator": (
        f"from dbtrust.migrations import set_validator\nsteps = [set_validator('items', {{'$jsonSchema': {LOOSE}}})]\n",
        "migrate.written", "refuted", "the validator that is back refuses it",
    ),
    "looser validator, documents mended": (
        f"def up(db):\n    db.command('collMod', 'items', validator={{'$jsonSchema': {LOOSE}}})\n"
        f"def down(db):\n    db.items.update_many({{'$nor': [{{'$jsonSchema': {STRICT}}}]}}, {{'$set': {{'price': 0}}}})\n"
        f"    db.command('collMod', 'items', validator={{'$jsonSchema': {STRICT}}})\n",
        "migrate.written", "holds", "refused",
    ),
    "unique index gone": (
        "from dbtrust.migrations import drop_index\nsteps = [drop_index('items', 'by_name')]\n",
        "migrate.written", "refuted", "the key of by_name",
    ),
    "unique index gone, twins renamed": (
        "def up(db):\n    db.items.drop_index('by_name')\n"
        "def down(db):\n    seen = set()\n    for d in db.items.find():\n        if d['name'] in seen:\n"
        "            db.items.update_one({'_id': d['_id']}, {'$set': {'name': str(d['_id'])}})\n        seen.add(d['name'])\n"
        "    db.items.create_index([('name', 1)], name='by_name', unique=True)\n",
        "migrate.written", "holds", "the key of by_name",
    ),
    "field dropped": (
        "def up(db):\n    db.items.update_many({}, {'$set': {'price': 1000}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "price was",
    ),
    "field dropped, declared": (
        "lossy = ['items.price']\ndef up(db):\n    db.items.update_many({}, {'$set': {'price': 1000}})\ndef down(db):\n    pass\n",
        "migrate.populated", "holds", "declares to lose",
    ),
    "values merged": (
        "def up(db):\n    db.items.update_many({'plan': 'free'}, {'$set': {'plan': 'basic'}})\n"
        "def down(db):\n    db.items.update_many({'plan': 'basic'}, {'$set': {'plan': 'free'}})\n",
        "migrate.populated", "refuted", "plan was 'basic' and is 'free'",
    ),
    "values beside": (
        "def up(db):\n    db.items.update_many({'plan': 'free'}, {'$set': {'tier': 1}})\n"
        "def down(db):\n    db.items.update_many({'plan': 'free'}, {'$unset': {'tier': ''}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "another declared": (
        "lossy = ['items.name']\ndef up(db):\n    db.items.update_many({}, {'$set': {'price': 1000}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "price was",
    ),
    "nothing to declare": (
        "from dbtrust.migrations import create_index\nlossy = ['items.name']\nsteps = [create_index('items', [('price', 1)], name='by_price')]\n",
        "migrate.populated", "holds", "nothing needs lossy = ['items.name']",
    ),
    "documents deleted": (
        "def up(db):\n    db.items.delete_many({})\ndef down(db):\n    pass\n", "migrate.populated", "refuted", "items lost the document",
    ),
    "a down that refuses": (
        "def up(db):\n    db.items.update_many({}, {'$set': {'price': 1000}})\ndef down(db):\n    raise NotImplementedError('no way back')\n",
        "migrate.down", "unproved", "refuses on purpose",
    ),
    "a down that refuses over documents": (
        "def up(db):\n    db.items.update_many({}, {'$set': {'price': 1000}})\n"
        "def down(db):\n    if db.items.find_one():\n        raise RuntimeError('no way back')\n",
        "migrate.populated", "unproved", "no way back",
    ),
    "a fraction cut off": (
        "def up(db):\n    db.items.update_many({}, [{'$set': {'price': {'$toInt': '$price'}}}])\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "price was 1234.5",
    ),
    "a text in lower case": (
        "def up(db):\n    db.items.update_many({}, [{'$set': {'name': {'$toLower': '$name'}}}])\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "name was '  Mixed CASE",
    ),
    "a field that no document had": (
        "def up(db):\n    db.items.update_many({'total': {'$exists': True}}, [{'$set': {'total': {'$toInt': '$total'}}}])\n"
        "def down(db):\n    pass\n",
        "migrate.populated", "refuted", "total was 1234.5",
    ),
    "renamed and back": (
        "def up(db):\n    db.items.update_many({}, {'$rename': {'note': 'remark'}})\n"
        "def down(db):\n    db.items.update_many({}, {'$rename': {'remark': 'note'}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "a field of the validator renamed and back": (
        "def up(db):\n    db.p.update_many({}, {'$rename': {'a': 'b'}})\n"
        "def down(db):\n    db.p.update_many({}, {'$rename': {'b': 'a'}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "renamed where no other field is allowed": (
        "def up(db):\n    db.command('collMod', 'closed', validator={})\n    db.closed.update_many({}, {'$rename': {'a': 'b'}})\n"
        "def down(db):\n    db.closed.update_many({}, {'$rename': {'b': 'a'}})\n    db.closed.update_many({}, [{'$replaceWith': {'_id': '$_id', 'a': '$a'}}])\n"
        f"    db.command('collMod', 'closed', validator={CLOSED})\n",
        "migrate.populated", "holds", "every document",
    ),
    "unset": (
        "def up(db):\n    db.p.update_many({}, {'$unset': {'legacy': ''}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "legacy was 'legacy was there' and is None",
    ),
    "unset in a pipeline": (
        "def up(db):\n    db.p.update_many({}, [{'$unset': ['old.legacy']}])\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "old was {'legacy': 'old.legacy was there'} and is {}",
    ),
    "unset of some": (
        "def up(db):\n    db.p.update_many({'plan': 'x', 'n': {'$gt': 7}}, {'$unset': {'legacy': ''}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "legacy was 'legacy was there' and is None",
    ),
    "unset, declared": (
        "lossy = ['p.legacy']\ndef up(db):\n    db.p.update_many({}, {'$unset': {'legacy': ''}})\ndef down(db):\n    pass\n",
        "migrate.populated", "holds", "declares to lose",
    ),
    "unset by the down": (
        "def up(db):\n    db.p.update_many({}, {'$set': {'tier': 1}})\ndef down(db):\n    db.p.update_many({}, {'$unset': {'tier': ''}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "added below a bound": (
        "def up(db):\n    db.p.update_many({'n': {'$lt': 100}}, {'$inc': {'n': 5}})\n"
        "def down(db):\n    db.p.update_many({'n': {'$lt': 105}}, {'$inc': {'n': -5}})\n",
        "migrate.populated", "refuted", "n was 100 and is 95",
    ),
    "added above a negative bound, of some": (
        "def up(db):\n    db.p.update_many({'kind': 'k', 'n': {'$gt': -9}}, {'$inc': {'n': 5}})\n"
        "def down(db):\n    db.p.update_many({'kind': 'k', 'n': {'$gt': -10}}, {'$inc': {'n': -5}})\n",
        "migrate.populated", "refuted", "n was -9 and is -14",
    ),
    "added to all": (
        "def up(db):\n    db.p.update_many({'n': {'$exists': True}}, {'$inc': {'n': 5}})\n"
        "def down(db):\n    db.p.update_many({'n': {'$exists': True}}, {'$inc': {'n': -5}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "flagged between bounds": (
        "def up(db):\n    db.p.update_many({'n': {'$gte': 10, '$lt': 100}}, {'$set': {'mid': True}})\n"
        "def down(db):\n    db.p.update_many({'n': {'$gte': 10, '$lt': 100}}, {'$unset': {'mid': ''}})\n",
        "migrate.populated", "holds", "every document",
    ),
    "the greatest less": (
        "def up(db):\n    db.p.update_many({'score': {'$exists': True}}, {'$min': {'score': 3}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "score was 41 and is 3",
    ),
    "fractions found by type": (
        "def up(db):\n    for d in db.p.find({'price': {'$type': 'double'}}):\n"
        "        db.p.update_one({'_id': d['_id']}, {'$set': {'price': int(d['price'])}})\ndef down(db):\n    pass\n",
        "migrate.populated", "refuted", "price was 1234.5 and is 1234",
    ),
    "new collection": (
        "from dbtrust.migrations import create_collection\nsteps = [create_collection('notes')]\n", "migrate.written", "holds", "notes goes with it",
    ),
}  # fmt: skip


class Fresh:
    """Empty databases on a client that is listened to."""

    def __init__(self, client: pymongo.MongoClient[dict[str, Any]], capture: Capture) -> None:
        self.client, self.capture, self._numbers = client, capture, iter(range(1000))

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        name = f"prove_{id(self)}_{next(self._numbers)}"
        yield self.client[name]
        self.client.drop_database(name)


@pytest.fixture
def fresh(mongo_url: str) -> Iterator[Fresh]:
    capture = Capture()
    with connect(mongo_url, listeners=[capture]) as client:
        yield Fresh(client, capture)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, fresh: Fresh, tmp_path: Path) -> None:
    text, check, outcome, words = CASES[name]
    first = FIRST
    if ".p." in text or ".closed." in text:
        first = OTHERS.replace("P)", f"{WITH_A if 'validator' in name else ''})")
    made = [
        Migration("mongo", f"000{n}", "m", Location(f"000{n}_m.py", 1, 1), python=python)
        for n, python in enumerate((first, text), 1)
    ]
    verdicts = prove_mongo(fresh, History(tuple(made), ()), tmp_path, fresh.capture)
    (verdict,) = [v for v in verdicts if (v.check, v.subject) == (check, "migration:0002")]
    assert verdict.verdict == outcome, verdict
    assert words in verdict.message
    if outcome == "holds":
        assert [v for v in verdicts if v.verdict in ("refuted", "unproved")] == []


def test_only_what_is_asked_for_is_judged_and_what_stands_before_it_applied(
    fresh: Fresh, tmp_path: Path
) -> None:
    texts = [
        FIRST,
        CASES["documents deleted"][0],
        CASES["nothing to declare"][0],
        "def up(db):\n    db.never()\n",
    ]
    made = [
        Migration("mongo", f"000{n}", "m", Location(f"000{n}_m.py", 1, 1), python=python)
        for n, python in enumerate(texts, 1)
    ]
    verdicts = prove_mongo(fresh, History(tuple(made), ()), tmp_path, fresh.capture, only=frozenset({"0003"}))
    assert {v.subject for v in verdicts} == {"migration:0003"} and len(verdicts) == 6
    assert {v.verdict for v in verdicts} <= {"holds", "not_applicable"}


def test_the_field_that_was_lost_is_told_before_the_one_that_came() -> None:
    said = lost({"c": {"1": {"_id": 1, "note": "x"}}}, {"c": {"1": {"_id": 1, "a_note": "x"}}})
    assert "note was 'x' and is None" in said[0][1] and [what for what, _ in said] == ["c.note", "c.a_note"]
