"""Documents for what a migration was seen to look for; an update or delete that met none leaves the verdict open."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.migrate.test_mongo_rows import FIRST, Fresh
from tests.migrate.test_mongo_rows import fresh as fresh

from dbtrust.migrate.mongo import prove_mongo
from dbtrust.model.location import Location
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.source.migrations import History

_NOW = "from datetime import datetime, timedelta, UTC\nimport re\nNOW = datetime.now(UTC)\n"
_DOWN = "def down(db):\n    pass\n"
#: Conditions that no literal of the text tells: name -> a filter in Python.
_FOUND = {
    "older than a year": "{'at': {'$lt': NOW - timedelta(days=365)}}",
    "the last minutes": "{'at': {'$gt': datetime.now(UTC) - timedelta(minutes=10)}}",
    "a year of the past": "{'at': {'$gte': NOW - timedelta(days=730), '$lt': NOW - timedelta(days=365)}}",
    "a constant of its own": "{'state': ''.join(['g', 'one'])}",
    "one of two": "{'$or': [{'state': 'x' * 3}, {'n': 4}]}",
    "all of several": "{'$and': [{'n': {'$gt': int('70')}}, {'n': {'$lt': int('80')}}, {'name': re.compile('^ab')}]}",
    "in an array": "{'tags': {'$elemMatch': {'k': 'k' * 2, 'n': {'$gte': int('3')}}}}",
    "by its type": "{'price': {'$type': 'double'}, 'name': {'$exists': True}}",
}
#: Changes of what the filter does not speak of, which show over odd values alone.
_BESIDE = {
    "rounded": "db.items.update_many({'state': 'paid'}, [{'$set': {'price': {'$round': ['$price', 0]}}}])",
    "lowered in a document": "db.items.update_many({'adr.zip': {'$exists': True}}, [{'$set': {'adr.zip': {'$toLower': '$adr.zip'}}}])",
    "a pipeline that merges": (
        "db.items.aggregate([{'$match': {'state': 'paid'}}, {'$set': {'price': 0.0}}, {'$merge': {'into': 'items', 'on': '_id', 'whenMatched': 'replace'}}])"
    ),
}  # fmt: skip
_NEVER = "{'$expr': {'$eq': [{'$strLenCP': '$name'}, 7777]}}"
#: name -> (a migration, what of it was not seen)
OPEN = {
    "delete": (f"def up(db):\n    db.items.delete_many({_NEVER})\n", "delete of items where"),
    "update": (f"def up(db):\n    db.items.update_many({_NEVER}, {{'$set': {{'price': 1}}}})\n", "update of items where"),
    "find and modify": (f"def up(db):\n    db.items.find_one_and_delete({_NEVER})\n", "delete of items where"),
    "beside one that met": (
        f"def up(db):\n    db.items.update_many({{}}, {{'$inc': {{'price': 0}}}})\n    db.items.delete_many({_NEVER})\n",
        "delete of items where",
    ),
    "in batches": (
        f"from dbtrust.migrations import update_in_batches\nsteps = [update_in_batches('items', {_NEVER}, {{'$set': {{'price': 1}}}}, revert=({_NEVER}, {{'$set': {{'price': 2}}}}))]\n",
        "update of items where",
    ),
    "a loop that nothing goes through": (
        "def up(db):\n    for one in db.items.find():\n        if one['name'] == 'x' * 77:\n            db.items.delete_one({'_id': one['_id']})\n",
        "delete of some collection",
    ),
    "another element": (
        "def up(db):\n    db.items.update_many({'tags': {'$elemMatch': {'k': 1}}}, {'$set': {'tags.$[i].sku': 'X'}}, array_filters=[{'i.sku': 'Y'}])\n", "update of items",
    ),
    "a value that stays": (
        "def up(db):\n    db.items.update_many({}, [{'$set': {'name': {'$switch': {'branches': [{'case': {'$eq': ['$name', 'm' * 9]}, 'then': 'x'}], 'default': '$name'}}}}])\n",
        "update of items",
    ),
    "another field is declared": (
        f"lossy = ['items.name']\ndef up(db):\n    db.items.update_many({_NEVER}, {{'$set': {{'price': 1}}}})\n", "update of items",
    ),
}  # fmt: skip
HOLDS = {
    "declared": f"lossy = ['items']\ndef up(db):\n    db.items.delete_many({_NEVER})\n",
    "its field is declared": f"lossy = ['items.price']\ndef up(db):\n    db.items.update_many({_NEVER}, {{'$set': {{'price': 1}}}})\n",
    "a loop until nothing is left": (
        "def up(db):\n    while db.items.update_many({'seen': None}, {'$set': {'seen': 1}}).modified_count:\n        pass\n"
        "def down(db):\n    db.items.update_many({}, {'$unset': {'seen': ''}})\n"
    ),
    "ranges beyond the end": (
        "def up(db):\n    for low in range(0, 10**10, 10**9):\n"
        "        db.items.update_many({'price': {'$gte': low, '$lt': low + 10**9}}, {'$set': {'seen': 1}})\n"
        "def down(db):\n    db.items.update_many({}, {'$unset': {'seen': ''}})\n"
    ),
    "an upsert": (
        "def up(db):\n    db.items.update_one({'name': 'new one'}, {'$set': {'price': 1}}, upsert=True)\n"
        "def down(db):\n    db.items.delete_one({'name': 'new one', 'price': 1})\n"
    ),
}  # fmt: skip


def populated(fresh: Fresh, root: Path, text: str) -> Verdict:
    made = [
        Migration("mongo", f"000{n}", "m", Location(f"000{n}_m.py", 1, 1), python=python)
        for n, python in enumerate((FIRST, text), 1)
    ]
    verdicts = prove_mongo(fresh, History(tuple(made), ()), root, fresh.capture, only=frozenset({"0002"}))
    (found,) = [v for v in verdicts if (v.check, v.subject) == ("migrate.populated", "migration:0002")]
    return found


@pytest.mark.parametrize("name", _FOUND)
def test_a_document_is_made_for_what_it_looks_for(name: str, fresh: Fresh, tmp_path: Path) -> None:
    found = populated(
        fresh, tmp_path, f"{_NOW}def up(db):\n    db.items.delete_many({_FOUND[name]})\n{_DOWN}"
    )
    assert (found.verdict, found.evidence.get("kind")) == ("refuted", "lossy"), found
    assert "items lost" in found.message


@pytest.mark.parametrize("name", _BESIDE)
def test_odd_values_stand_beside_what_it_looks_for(name: str, fresh: Fresh, tmp_path: Path) -> None:
    text = f"def up(db):\n    {_BESIDE[name]}\n{_DOWN}"
    found = populated(fresh, tmp_path, text)
    assert (found.verdict, found.evidence.get("kind")) == ("refuted", "lossy"), found


def test_a_document_is_made_for_what_it_reads_first(fresh: Fresh, tmp_path: Path) -> None:
    up = "def up(db):\n    for one in db.items.find({'at': {'$lt': NOW - timedelta(days=365)}}):\n        db.items.delete_one({'_id': one['_id']})\n"
    found = populated(fresh, tmp_path, f"{_NOW}{up}{_DOWN}")
    assert (found.verdict, found.evidence.get("kind")) == ("refuted", "lossy"), found


@pytest.mark.parametrize("name", OPEN)
def test_what_met_no_document_is_open_and_named(name: str, fresh: Fresh, tmp_path: Path) -> None:
    text, told = OPEN[name]
    found = populated(fresh, tmp_path, text if "steps" in text else text + _DOWN)
    assert (found.verdict, found.reason) == ("unproved", "no_data"), found
    assert told in found.message and "lossy = [" in found.next


@pytest.mark.parametrize("name", HOLDS)
def test_what_was_declared_or_met_something_holds(name: str, fresh: Fresh, tmp_path: Path) -> None:
    text = HOLDS[name]
    found = populated(fresh, tmp_path, text if "def down" in text else text + _DOWN)
    # A document that had all along what the upsert writes is not its own: its down takes it for that.
    assert found.reason != "no_data" and (found.verdict == "holds") == (name != "an upsert"), found
