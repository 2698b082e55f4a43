"""Claims of MongoDB methods whose reads are partly out of sight: none of them may hold for what was not looked at.

The collections come from a history, nothing is declared: 500 plants of 10 suppliers.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.claims.projects import claimed, outcomes

from dbtrust import Report, check
from dbtrust.cli.main import run

CONFIG = """
[project]
name = "garden"
python = ["."]

[mongo]
queries = ["garden:Plants", "garden:AsyncPlants"]

[migrations]
folder = "migrations"

[data.plants]
file = "data_plants.py"
rows = 500

[data.suppliers]
file = "data_suppliers.py"
rows = 10

[data.readings]
file = "data_readings.py"
rows = 50
"""
MIGRATION = """
from dbtrust.migrations import create_collection, create_index, step

steps = [
    create_collection("plants"),
    create_index("plants", [("code", 1)], name="plants_code"),
    create_collection("suppliers"),
    create_index("suppliers", [("code", 1)], name="suppliers_code"),
    step(
        "readings",
        apply=lambda db: db.create_collection("readings", timeseries={"timeField": "at", "metaField": "sensor"}),
        revert=lambda db: db.drop_collection("readings"),
    ),
]
"""
PLANTS = """
def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "code": f"c{i}", "height": i % 50, "supplier": i % 10, "notes": f"n{i % 7}"}
"""
SUPPLIERS = """
def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "code": f"c{i}", "name": f"s{i}"}
"""
READINGS = """
from datetime import timedelta


def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "sensor": i % 5, "at": now - timedelta(minutes=i), "value": i}
"""
STORE = """
from dataclasses import dataclass
from typing import Any

from dbtrust import AsyncMongoQueries, MongoQueries, claim, example


@dataclass
class Page:
    head: Any
    rest: Any


def look_up(*stages):
    return [
        {"$match": {"_id": 3}},
        {"$lookup": {"from": "suppliers", "localField": "code", "foreignField": "code", "as": "s", "pipeline": list(stages)}},
    ]


class Plants(MongoQueries):
    @claim("examines at most 10 documents per result", "no collection scan")
    @example("high", height=3, supplier=3)
    def loaded(self, height: int, supplier: int) -> list:
        return list(self.db.plants.find({"height": height, "supplier": supplier, "notes": "n3"}))

    @claim("no collection scan at 200 rows in plants")
    @example("high", height=3)
    def scaled(self, height: int) -> list:
        return list(self.db.plants.find({"height": height}))

    @claim("uses plants_code on plants", "no collection scan", "at least 1x faster than without plants_code")
    @claim("examines at most 1 documents per result")
    @example("one", code="c3")
    def elsewhere(self, code: str) -> list:
        archive = self.db.client["dbtrust_archive"]
        return list(archive.plants.find({"code": code}))

    @claim("no collection scan", "uses plants_code")
    @example("one", code="c3")
    def partly_elsewhere(self, code: str) -> list:
        return list(self.db.client["dbtrust_archive"].plants.find({})) + list(self.db.plants.find({"code": code}))

    @claim("no collection scan", "at least 1x faster than without plants_code")
    @example("one", code="c3")
    def map_reduced(self, code: str) -> list:
        found = self.db.plants.find_one({"code": code})
        made = self.db.command(
            {"mapReduce": "plants", "map": "function() { emit(this.supplier, 1) }",
             "reduce": "function(key, values) { return values.length }", "out": {"inline": 1}}
        )
        return [found, made["results"]]

    @claim("no collection scan")
    @example("one", code="c3")
    def documents(self, code: str) -> list:
        found = self.db.plants.find_one({"code": code})
        join = {"from": "plants", "localField": "n", "foreignField": "notes", "as": "p"}
        return [found, *self.db.aggregate([{"$documents": [{"n": "n3"}]}, {"$lookup": join}])]

    @claim("no collection scan")
    @example("one", code="c3")
    def harmless(self, code: str) -> list:
        self.db.client.admin.command("ping")
        self.db.list_collection_names()
        self.db.plants.insert_one({"_id": -1, "code": "new"})
        return [self.db.plants.find_one({"code": code})]

    @claim("no sort")
    def by_count(self) -> list:
        return list(self.db.plants.aggregate(look_up({"$sortByCount": "$name"})))

    @claim("no sort")
    def by_window(self) -> list:
        output = {"n": {"$documentNumber": {}}}
        return list(self.db.plants.aggregate(look_up({"$setWindowFields": {"sortBy": {"name": 1}, "output": output}})))

    @claim("no sort")
    def by_filling(self) -> list:
        fill = {"$fill": {"sortBy": {"name": 1}, "output": {"x": {"method": "locf"}}}}
        return list(self.db.plants.aggregate(look_up(fill)))

    @claim("no sort")
    def by_bucket(self) -> list:
        return list(self.db.plants.aggregate(look_up({"$bucketAuto": {"groupBy": "$name", "buckets": 2}})))

    @claim("no sort")
    def buckets(self) -> list:
        return list(self.db.plants.aggregate([{"$bucketAuto": {"groupBy": "$height", "buckets": 5}}]))

    @claim("no sort")
    def unsorted(self) -> list:
        return list(self.db.plants.aggregate(look_up({"$set": {"x": "$sort"}})))

    @claim("id lookup")
    def union(self) -> list:
        other = {"coll": "suppliers", "pipeline": [{"$match": {"_id": 5}}]}
        return list(self.db.plants.aggregate([{"$match": {"height": 5}}, {"$unionWith": other}]))

    @claim("id lookup")
    def union_by_id(self) -> list:
        other = {"coll": "suppliers", "pipeline": [{"$match": {"_id": 5}}]}
        return list(self.db.plants.aggregate([{"$match": {"_id": 5}}, {"$unionWith": other}]))

    @claim("id lookup")
    def joined(self) -> list:
        return list(self.db.plants.aggregate(look_up()))

    @claim("examines at most 1 documents per result", "examines at most 50 documents per result")
    @claim("examines at most 49 documents per result")
    def values(self) -> list:
        return self.db.plants.distinct("supplier", {"height": {"$gte": 0}})

    @claim("uses plants_code on plants", "uses plants_code on suppliers", "examines at most 99 documents per result on suppliers")
    def nested(self) -> list:
        inner = {"$lookup": {"from": "plants", "localField": "code", "foreignField": "code", "as": "p"}}
        return list(self.db.plants.aggregate(look_up({"$facet": {"a": [inner]}})))

    @claim("no collection scan", "covered")
    @example("one", code="c3")
    def pair(self, code: str) -> tuple:
        return (self.db.plants.find_one({"code": code}), self.db.plants.find({"height": 3}))

    @claim("no collection scan")
    @example("one", code="c3")
    def page(self, code: str) -> Page:
        return Page(self.db.plants.find_one({"code": code}), {"rest": [self.db.plants.find({"height": 3})]})

    @claim("no collection scan")
    @example("one", code="c3")
    def generators(self, code: str) -> object:
        yield self.db.plants.find({"code": code})
        yield (x for x in self.db.plants.find({"height": 3}))

    @claim("uses plants_cod on plants", "uses plants_code", "at least 2x faster than without plants_cod")
    def gone(self) -> list:
        return list(self.db.plants.find({"code": "c3"}, hint="plants_cod"))

    @claim("no collection scan", "no sort")
    def sensors(self) -> list:
        return list(self.db.readings.find({"sensor": 3}).sort("at", 1))

    @claim("no collection scan")
    def undrawn(self, code: str, tall: bool) -> list:
        return list(self.db.plants.find({"code": code, "tall": tall}))


class AsyncPlants(AsyncMongoQueries):
    @claim("no collection scan")
    @example("one", code="c3")
    async def async_pair(self, code: str) -> tuple:
        return (await self.db.plants.find_one({"code": code}), self.db.plants.find({"height": 3}))

    @claim("no collection scan")
    @example("one", code="c3")
    async def async_unawaited(self, code: str) -> tuple:
        return (await self.db.plants.find_one({"code": code}), self.db.plants.find_one({"height": 3}))
"""
WANTED = """
loaded: examines at most 10 documents per result = refuted
loaded: no collection scan = refuted
scaled: no collection scan at 200 rows in plants = refuted
elsewhere: uses plants_code on plants = unproved server_error
elsewhere: no collection scan = unproved server_error
elsewhere: at least 1x faster than without plants_code = unproved server_error
elsewhere: examines at most 1 documents per result = unproved server_error
partly_elsewhere: no collection scan = unproved server_error
partly_elsewhere: uses plants_code = holds
map_reduced: no collection scan = unproved server_error
map_reduced: at least 1x faster than without plants_code = unproved server_error
documents: no collection scan = unproved server_error
harmless: no collection scan = holds
by_count: no sort = unproved undecided
by_window: no sort = unproved undecided
by_filling: no sort = unproved undecided
by_bucket: no sort = unproved undecided
buckets: no sort = refuted
unsorted: no sort = holds
union: id lookup = refuted
union_by_id: id lookup = holds
joined: id lookup = refuted
values: examines at most 1 documents per result = refuted
values: examines at most 50 documents per result = holds
values: examines at most 49 documents per result = refuted
nested: uses plants_code on plants = unproved version
nested: uses plants_code on suppliers = unproved version
nested: examines at most 99 documents per result on suppliers = unproved version
pair: no collection scan = refuted
pair: covered = refuted
page: no collection scan = refuted
generators: no collection scan = refuted
gone: uses plants_cod on plants = refuted
gone: uses plants_code = unproved server_error
gone: at least 2x faster than without plants_cod = refuted
sensors: no collection scan = refuted
sensors: no sort = refuted
undrawn: no collection scan = unproved no_example
async_pair: no collection scan = refuted
async_unawaited: no collection scan = refuted
"""


def garden(folder: Path, config: str = CONFIG, migration: str = MIGRATION) -> Path:
    (folder / "migrations").mkdir()
    for name, text in (
        ("dbtrust.toml", config), ("garden.py", STORE), ("migrations/0001_garden.py", migration),
        ("data_plants.py", PLANTS), ("data_suppliers.py", SUPPLIERS), ("data_readings.py", READINGS),
    ):  # fmt: skip
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, mongo_url: str) -> Report:
    return check(garden(tmp_path_factory.mktemp("garden")), only=["claim."], mongo=mongo_url)


def test_nothing_holds_that_was_not_seen(report: Report) -> None:
    wanted = dict(line.split(" = ") for line in WANTED.strip().splitlines())
    found = outcomes(report)
    wrong = {
        key: (wanted.get(key), found.get(key))
        for key in wanted.keys() | found
        if wanted.get(key) != found.get(key)
    }
    assert wrong == {}


def test_what_was_not_seen_is_named(report: Report) -> None:
    found = claimed(report)
    other = found["elsewhere: no collection scan"].message
    assert other == "the method sent find to the database dbtrust_archive, which holds no data of the project"
    assert "the method sent mapReduce, a command that is" in found["map_reduced: no collection scan"].message
    assert "the method sent aggregate, a command" in found["documents: no collection scan"].message
    undrawn = found["undrawn: no collection scan"]
    assert "no value can be drawn for the parameter tall (bool)" in undrawn.message
    assert undrawn.next == "add @example(...)"
    assert found["gone: uses plants_cod on plants"].next == "did you mean plants_code?"
    assert "$lookup inside a $lookup" in found["nested: uses plants_code on plants"].message
    assert found["loaded: no collection scan"].evidence["data"]["rows"]["plants"] == 500


def place_of(report: Report) -> list[tuple[int, str, str | None, int | None, str]]:
    return [(e.code, e.message, e.location.file, e.location.line, e.next) for e in report.errors]


def test_data_of_no_collection_are_an_error(tmp_path: Path, mongo_url: str) -> None:
    config = CONFIG.replace("[data.plants]", "[data.plnts]")
    found = check(garden(tmp_path, config), only=["claim.covered"], mongo=mongo_url)
    line = config.splitlines().index('file = "data_plants.py"') + 1
    message = "data.plnts: there is no collection plnts"
    assert place_of(found) == [(2, message, "dbtrust.toml", line, "did you mean plants?")]
    assert found.exit_code == 2
    assert {v.reason for v in found.verdicts if v.check.startswith("claim.")} == {"no_data"}


def test_data_of_an_engine_that_is_not_there_are_an_error(tmp_path: Path, mongo_url: str) -> None:
    config = CONFIG + '\n[data.beds]\nfile = "beds.sql"\nrows = 3\n'
    found = check(garden(tmp_path, config), only=["claim.covered"], mongo=mongo_url)
    line = config.splitlines().index('file = "beds.sql"') + 1
    message = "data.beds: beds.sql fills a table of PostgreSQL, and the project has no [postgres]"
    assert [place[:4] for place in place_of(found)] == [(2, message, "dbtrust.toml", line)]
    assert found.exit_code == 2


WORDS = """
from dbtrust import MongoQueries, claim, example


class Plants(MongoQueries):
    @claim("uses plants_notes on plants", "no collection scan")
    @example("one", word="n3")
    def search(self, word: str) -> list:
        return list(self.db.plants.find({"$text": {"$search": word}}))
"""


def test_a_dropped_index_that_the_query_needs_is_told(tmp_path: Path, mongo_url: str) -> None:
    index = '    create_index("plants", [("notes", "text")], name="plants_notes"),\n'
    before = MIGRATION.replace(
        '    create_collection("suppliers"),\n', index + '    create_collection("suppliers"),\n'
    )
    config = CONFIG.replace(', "garden:AsyncPlants"', "")
    folder = garden(tmp_path, config, before)
    (folder / "garden.py").write_text(WORDS)
    assert run(["claims", "baseline", str(folder), "--mongo", mongo_url]) == 0
    held = check(folder, only=["claim."], mongo=mongo_url)
    assert {v.check: v.verdict for v in held.verdicts} == dict.fromkeys(
        ("claim.uses", "claim.no_collection_scan", "claim.baseline"), "holds"
    )
    (folder / "migrations" / "0001_garden.py").write_text(MIGRATION)
    found = {v.check: v for v in check(folder, only=["claim."], mongo=mongo_url).verdicts}
    assert {check: (v.verdict, v.reason) for check, v in found.items()} == {
        "claim.uses": ("refuted", "missing_object"),
        "claim.no_collection_scan": ("unproved", "server_error"),
        "claim.baseline": ("refuted", "missing_object"),
    }
    assert found["claim.baseline"].message.startswith("there is no index plants_notes")
