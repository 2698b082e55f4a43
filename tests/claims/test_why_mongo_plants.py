"""`claims why` beside indexes of every kind, and for a write of several statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dbtrust.claims.why import find_query, parse_all
from dbtrust.claims.why_mongo import Case, explain_claims
from dbtrust.claims.why_rows import Bounds
from dbtrust.judge.outcomes import known_names
from dbtrust.model.progress import silent
from dbtrust.model.why import Explanation
from dbtrust.source.config import load_config
from dbtrust.source.modules import project_path
from dbtrust.source.objects import MongoMethod
from dbtrust.source.project import read_project
from dbtrust.stage.mongo import Scratch, open_mongo

CONFIG = """
[project]
name = "p"
python = ["."]
[mongo]
collections = ["plants_of_p:plants"]
queries = ["plants_of_p:Plants"]
[data.plants]
file = "rows.py"
rows = 500
"""
STORE = """
from datetime import datetime

from pydantic import BaseModel
from pymongo import IndexModel, UpdateOne

from dbtrust import Collection, MongoQueries, claim


class Plant(BaseModel):
    code: int
    height: int
    note: str
    sown: datetime
    loc: list[float]


plants = Collection("plants", Plant, indexes=[
    IndexModel([("code", 1)], name="plants_code", unique=True),
    IndexModel([("sown", 1)], name="plants_ttl", expireAfterSeconds=10**8),
    IndexModel([("note.$**", 1)], name="plants_any"),
    IndexModel([("note", "text")], name="plants_text"),
    IndexModel([("loc", "2dsphere")], name="plants_loc"),
])


class Plants(MongoQueries):
    @claim("no sort", "no collection scan", "examines at most 1 documents per result")
    def high(self):
        return list(self.db.plants.find({"height": {"$gt": 480}}).sort("height", -1))

    @claim("no collection scan")
    def marks(self):
        self.db.plants.bulk_write([
            UpdateOne({"code": 3}, {"$set": {"note": "a"}}), UpdateOne({"height": 3}, {"$set": {"note": "b"}}),
        ])
"""
ROWS = """
def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "code": i, "height": (i * 7) % n, "note": f"n{i}", "sown": now, "loc": [i % 90, 1.0]}
"""
Why = Callable[[str], list[Explanation]]


@pytest.fixture
def why(tmp_path: Path, mongo_url: str) -> Why:
    for name, text in (("dbtrust.toml", CONFIG), ("plants_of_p.py", STORE), ("rows.py", ROWS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    config = load_config(tmp_path)

    def no_run() -> None:
        raise AssertionError("a server of its own is not needed")

    def explained(name: str) -> list[Explanation]:
        with project_path(config):
            project = read_project(config)
            method = find_query(project, f"Plants.{name}")
            with open_mongo(project, no_run, mongo_url, silent) as stage, Scratch(stage) as scratch:
                catalog = stage.catalog()
                assert catalog is not None and isinstance(method, MongoMethod) and not stage.errors, (
                    stage.errors
                )
                every = parse_all(method)
                names = known_names(catalog.objects, "mongo")
                case = Case(project, stage, scratch, method, every, every, names, Bounds(0, 1000), silent)
                return explain_claims(case, only_refuted=True)

    return explained


def test_an_index_of_its_own_is_the_smallest_change(why: Why) -> None:
    found = why("high")
    assert len(found) == 3
    for one in found:
        assert one.smallest is not None
        assert one.smallest.statements == ('db.plants.createIndex({"height": -1}, {"name": "height_-1"})',)
        assert [c.title for c in one.changes if c.effect == "failed"] == []
        assert one.other is None, one.other


def test_the_statement_that_fails_is_explained(why: Why) -> None:
    (found,) = why("marks")
    assert found.chosen is not None and found.smallest is not None
    assert found.chosen.nodes[-1].type == "COLLSCAN"
    assert '"height"' in found.chosen.command and '"code"' not in found.chosen.command
    assert found.smallest.title == "create an index {height: 1}"
