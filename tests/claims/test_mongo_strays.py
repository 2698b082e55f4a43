"""Code that writes to another database of a server of the user's is told; on an embedded server nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dbtrust import check

CONFIG = """
[project]
name = "p"
python = ["."]
[mongo]
queries = ["strays_of_p:Q"]
proofs = ["stray_proofs_of_p"]
"""
STORE = """
from dbtrust import MongoQueries, claim


class Q(MongoQueries):
    @claim("no sort")
    def inserts(self):
        self.db.client["ARCHIVE"].c.insert_many([{"n": 1}])
        return self.db.c.find_one({})

    @claim("no sort")
    def inserts_and_fails(self):
        self.db.client["ARCHIVE"].c.insert_one({"n": 1})
        return 1 / 0

    @claim("no sort")
    def outputs(self):
        self.db.c.insert_one({"n": 1})
        self.db.c.aggregate([{"$out": {"db": "ARCHIVE", "coll": "d"}}])

    @claim("no sort")
    def merges(self):
        self.db.c.insert_one({"n": 1})
        self.db.c.aggregate([{"$merge": {"into": {"db": "ARCHIVE", "coll": "e"}}}])

    @claim("no sort")
    def renames(self):
        self.db.c.insert_one({"n": 1})
        self.db.client.admin.command("renameCollection", self.db.name + ".c", to="ARCHIVE.f")
        return self.db.c.find_one({})

    @claim("no sort")
    def reads(self):
        self.db.c.insert_one({"n": 1})
        self.db.c.aggregate([{"$out": "d"}])
        self.db.client["ARCHIVE"].c.find_one({})
        return self.db.c.find_one({})
"""
PROOFS = """
from dbtrust import proof


@proof("true")
def strays(db):
    db.client["ARCHIVE"].c.insert_one({"n": 1})
    return True
"""


@pytest.fixture
def archive(mongo_client: pymongo.MongoClient[dict[str, Any]], mongo_db: Any) -> Iterator[str]:
    name = f"{mongo_db.name}_archive"
    yield name
    mongo_client.drop_database(name)


def test_writes_elsewhere_are_told(tmp_path: Path, mongo_url: str, archive: str) -> None:
    files = {"dbtrust.toml": CONFIG, "strays_of_p.py": STORE, "stray_proofs_of_p.py": PROOFS}
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("ARCHIVE", archive), encoding="utf-8")
    report = check(tmp_path, only=["query.prepares", "proof."], mongo=mongo_url)
    assert not report.errors
    found = {v.subject.rpartition(".")[2]: v for v in report.verdicts}
    assert found.pop("reads").verdict == "holds"
    sent = {v.message.rpartition(archive)[2] for v in found.values()}
    assert sent == {" (insert)", " (aggregate)", " (renameCollection)"}
    assert {v.verdict for v in found.values()} == {"refuted"}
    assert all("undo that by hand" in v.next for v in found.values())
    assert len(found) == 6
    bare = check(tmp_path, only=["proof."])
    assert [v.verdict for v in bare.verdicts] == ["holds"]
