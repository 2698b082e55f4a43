"""A down(db) that is missing or wrong gets the one that the catalogs imply: applied, it is proven again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.migrate.test_mongo_rows import FIRST, LOOSE, Fresh
from tests.migrate.test_mongo_rows import fresh as fresh

from dbtrust.migrate.mongo import prove_mongo
from dbtrust.model.report import Verdict
from dbtrust.source.migrations import read_history

SECOND = 'def up(db):\n    db.create_collection("logs", validator={"level": {"$in": ["a", "b"]}})\n    db.logs.create_index([("at", -1)], name="at", expireAfterSeconds=60, partialFilterExpression={"at": {"$exists": True}})\n    db.logs.create_index([("text", "text")], name="words", default_language="german")\n    db.create_collection("recent", viewOn="logs", pipeline=[{"$match": {"level": "a"}}])\ndef down(db):\n    db.recent.drop()\n    db.logs.drop()\n'
#: label: (third migration, lines of the patch)
CASES: dict[str, tuple[str, list[str]]] = {
    "an index": ("def up(db):\n    db.items.create_index('price', name='by_price')\n", ["+def down(db):", "+    db['items'].drop_index('by_price')"]),
    "a validator": (
        f"def up(db):\n    db.command('collMod', 'items', validator={{'$jsonSchema': {LOOSE}}}, validationAction='warn')\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        ["+def down(db):\r", "validationAction='error')"],
    ),
    "collections": (
        "def up(db):\n    db.create_collection('new')\n    db.recent.drop()\n    db.logs.drop_index('at')\n    db.logs.drop_index('words')\n",
        ["+    db.drop_collection('new')", "expireAfterSeconds=60", "default_language='german'", "viewOn='logs'"],
    ),
    "a view": ("def up(db):\n    db.command('collMod', 'recent', viewOn='logs', pipeline=[])\n", ["pipeline=[{'$match': {'level': 'a'}}]"]),
    "a new name": ("def up(db):\n    db.items.rename('things')\n", ["+    db['things'].rename('items')"]),
    "a collection that goes": ("import os\n\ndef up(db):\n    db.items.drop()\n", ["+lossy = ['items']", "+    db.create_collection('items'"]),
    "an index that is left": (
        "def up(db):\n    db.items.create_index('price', name='p')\n    db.items.create_index('size', name='s')\ndef down(database):\n    # mine\n    database.items.drop_index('p')\n    return\n",
        ["+    database['items'].drop_index('s')", " \treturn".replace("\t", "   ")],
    ),
    "a down that fails": ("def up(db):\n    db.items.create_index('price', name='p')\n\n\ndef down(db): db.items.drop_index('q')\n", ["-def down(db): db.items.drop_index('q')", "+    db['items'].drop_index('p')"]),
    "nothing but pass": ("def up(db):\n    db.items.create_index('price', name='p')\n\n\ndef down(db):\n    pass", ["-    pass", "+    db['items'].drop_index('p')"]),
    "documents, too": (
        "lossy = ['logs']\ndef up(db):\n    db.items.update_many({}, {'$set': {'price': 7}})\n    db.items.create_index('price', name='p')\n",
        ["+lossy = ['logs', 'items.price']", "+    db['items'].drop_index('p')"],
    ),
}  # fmt: skip


def proven(fresh: Fresh, root: Path) -> list[Verdict]:
    return prove_mongo(fresh, read_history(root, "m"), root, fresh.capture, only=frozenset({"0003"}))


def write(root: Path, text: str) -> None:
    (root / "m").mkdir()
    for number, part in enumerate((FIRST, SECOND, text), 1):
        (root / "m" / f"000{number}_x.py").write_bytes(part.encode())


@pytest.mark.parametrize("label", CASES)
def test_a_patch_is_proven_again(label: str, fresh: Fresh, tmp_path: Path) -> None:
    text, lines = CASES[label]
    write(tmp_path, text)
    (down,) = [v for v in proven(fresh, tmp_path) if v.check == "migrate.down"]
    assert down.verdict in ("refuted", "unproved")
    patch = down.evidence.get("patch")
    assert patch and patch in down.next, down
    assert patch.startswith("--- a/m/0003_x.py\n+++ b/m/0003_x.py\n")
    assert [line for line in lines if line not in patch] == [], patch
    subprocess.run(["git", "apply"], cwd=tmp_path, input=patch.encode(), check=True)
    again = {v.check: v for v in proven(fresh, tmp_path)}
    written = again.pop("migrate.written")
    assert [(v.check, v.message) for v in again.values() if v.verdict in ("refuted", "unproved")] == []
    # A validator that comes back over what only the looser one allowed: the patch itself says so.
    assert (written.verdict == "refuted") == ("not over every document" in patch), written
    kept = (tmp_path / "m/0003_x.py").read_bytes()
    assert kept.count(b"\r\n") in (0, kept.count(b"\n"))


def test_changes_of_documents_are_told_and_not_made_up(fresh: Fresh, tmp_path: Path) -> None:
    write(tmp_path, "def up(db):\n    db.items.update_many({}, {'$set': {'price': 7}})\n")
    (down,) = [v for v in proven(fresh, tmp_path) if v.check == "migrate.down"]
    assert "patch" not in down.evidence and "no catalog says what they were" in down.next


def test_a_patch_leaves_a_collection_that_only_an_index_has_made(fresh: Fresh, tmp_path: Path) -> None:
    up = "def up(db):\n    db.sessions.create_index('at', expireAfterSeconds=60, name='ttl')\n"
    write(tmp_path, up)
    (down,) = [v for v in proven(fresh, tmp_path) if v.check == "migrate.down"]
    patch = down.evidence["patch"]
    assert "drop_index('ttl')" in patch and "drop_collection" not in patch
    subprocess.run(["git", "apply"], cwd=tmp_path, input=patch.encode(), check=True)
    again = {v.check: v for v in proven(fresh, tmp_path) if v.check != "migrate.drifted"}
    assert [v for v in again.values() if v.verdict in ("refuted", "unproved")] == []
    (tmp_path / "m/0003_x.py").write_text(
        up.replace("up(db):\n", "up(db):\n    db.sessions.insert_one({})\n")
        + "def down(db):\n    db.sessions.drop_index('ttl')\n"
    )
    (left,) = [v for v in proven(fresh, tmp_path) if v.check == "migrate.down"]
    assert left.verdict == "refuted" and "sessions" in left.message


def test_a_declared_loss_of_no_collection_is_refuted(fresh: Fresh, tmp_path: Path) -> None:
    write(
        tmp_path,
        "lossy = ['itmes.price']\ndef up(db):\n    db.items.create_index('price', name='p')\ndef down(db):\n    db.items.drop_index('p')\n",
    )
    (found,) = [v for v in proven(fresh, tmp_path) if v.check == "migrate.populated"]
    assert (
        found.verdict == "refuted"
        and "'itmes.price'" in found.message
        and found.next == "did you mean items?"
    )
