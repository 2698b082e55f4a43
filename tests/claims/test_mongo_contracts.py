"""Contracts of MongoDB methods, right and wrong, judged in one run of `check` over one project."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.claims.test_contracts import CHECKS, LETTERS

from dbtrust import Report, check
from dbtrust.model.report import Verdict

CONFIG = """
[project]
name = "cases"
python = ["src"]
[mongo]
version = "6.0"
collections = ["cases:shops", "cases:orders", "cases:loose"]
queries = ["cases:Q"]
[data.shops]
file = "shops.py"
rows = 40
[data.orders]
file = "orders.py"
rows = 60
[data.loose]
file = "loose.py"
rows = 5
"""
SHOPS = """
from datetime import UTC, datetime
def rows(n, now, seed):
    for i in range(n):
        yield {"_id": i, "name": f"shop {i}", "opened": datetime(2024, 1, 1, tzinfo=UTC), "rating": i / 2,
               "tags": ["a", "b"], "address": {"city": "Ulm", "zip": "8900"}, "staff": [{"name": "x", "age": 20 + i}],
               "counts": {"a": 1}, "note": None}
"""
ORDERS = "def rows(n, now, seed):\n    for i in range(n):\n        yield {'_id': i, 'shop_id': i % 40, 'total': float(i)}\n"
LOOSE = "def rows(n, now, seed):\n    for i in range(n):\n        yield {'_id': i, 'name': f'n {i}', 'price': 1.5}\n"
HEAD = """
from __future__ import annotations
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypedDict
from bson import ObjectId
from pydantic import BaseModel, Field
from dbtrust import Collection, MongoQueries, example

class Address(BaseModel):
    city: str
    zip: str | None = None

class Person(BaseModel):
    name: str
    age: int

class Shop(BaseModel):
    id: int | None = Field(default=None, alias="_id")
    name: str
    opened: datetime
    rating: float
    tags: list[str] = []
    address: Address
    staff: list[Person] = []
    counts: dict[str, int] = {}
    note: str | None = None

class Order(BaseModel):
    id: int | None = Field(default=None, alias="_id")
    shop_id: int
    total: float

class Loose(BaseModel):
    name: str
    price: float

shops = Collection("shops", Shop)
orders = Collection("orders", Order)
# The validator is weaker than the model: price may be missing.
loose = Collection("loose", Loose, schema={"bsonType": "object", "required": ["name"], "properties": {
    "name": {"bsonType": "string"}, "price": {"bsonType": "number"}}})

class Named(TypedDict):
    name: str
    rating: float
"""
# name, arguments of @example, signature, body, outcome of the four checks, a piece of the refuted message
CASES: list[tuple[str, str, str, str, str, str]] = [
    ("plain", "name='shop 1'", "name: str) -> list[Shop]", "[shops.load(d) for d in db.shops.find({'name': name})]", "HHHH", ""),
    ("unknown_field", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'nmae': x}))", "HRHH", "names nmae"),
    ("unknown_nested", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'address.town': x}))", "HRHH", "address.town"),
    ("nested", "x='Ulm'", "x: str) -> list[Any]", "list(db.shops.find({'address.city': x}))", "HHHH", ""),
    ("through_array", "x='x'", "x: str) -> list[Any]", "list(db.shops.find({'staff.name': x}))", "HHHH", ""),
    ("through_array_place", "x='x'", "x: str) -> list[Any]", "list(db.shops.find({'staff.0.name': x}))", "HHHH", ""),
    ("through_array_unknown", "x='x'", "x: str) -> list[Any]", "list(db.shops.find({'staff.0.nme': x}))", "HRHH", "staff.0.nme"),
    ("below_a_scalar", "x='x'", "x: str) -> list[Any]", "list(db.shops.find({'name.first': x}))", "HRHH", "name.first"),
    ("open_dictionary", "x=1", "x: int) -> list[Any]", "list(db.shops.find({'counts.whatever': x}))", "HHHH", ""),
    ("elem_match", "x=21", "x: int) -> list[Any]", "list(db.shops.find({'staff': {'$elemMatch': {'age': x, 'name': 'x'}}}))", "HHHH", ""),
    ("elem_match_unknown", "x=21", "x: int) -> list[Any]", "list(db.shops.find({'staff': {'$elemMatch': {'aeg': x}}}))", "HRHH", "names aeg"),
    ("logic", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'$or': [{'name': x}, {'$and': [{'rating': {'$gt': 3}}]}]}))", "HHHH", ""),
    ("logic_unknown", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'$or': [{'name': x}, {'$and': [{'ratting': 3}]}]}))", "HRHH", "ratting"),
    ("expr", "x=1.0", "x: float) -> list[Any]", "list(db.shops.find({'$expr': {'$gt': ['$rating', x]}}))", "HHHH", ""),
    ("expr_unknown", "x=1.0", "x: float) -> list[Any]", "list(db.shops.find({'$expr': {'$gt': ['$rate', x]}}))", "HRHH", "names rate"),
    ("wrong_value", "x=3", "x: int) -> list[Any]", "list(db.shops.find({'name': x}))", "RHHH", "compares name with the number 3"),
    ("wrong_value_in", "x=['3']", "x: list[str]) -> list[Any]", "list(db.orders.find({'shop_id': {'$in': x}}))", "RHHH", "compares shop_id with the string '3'"),
    ("wrong_value_date", "x='2024-01-01'", "x: str) -> list[Any]", "list(db.shops.find({'opened': {'$gte': x}}))", "RHHH", "it holds date"),
    ("wrong_id", "x='1'", "x: str) -> Shop | None", "(lambda d: d and shops.load(d))(db.shops.find_one({'_id': x}))", "RHHH", "compares _id"),
    ("array_element_value", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'tags': x}))", "HHHH", ""),
    ("array_element_wrong", "x=1", "x: int) -> list[Any]", "list(db.shops.find({'tags': x}))", "RHHH", "compares tags"),
    ("int_for_double", "x=3", "x: int) -> list[Any]", "list(db.shops.find({'rating': x}))", "HHHH", ""),
    ("null_value", "x=None", "x: str | None) -> list[Any]", "list(db.shops.find({'note': x}))", "HHHH", ""),
    ("regex", "x='a'", "x: str) -> list[Any]", "list(db.shops.find({'name': {'$regex': x}}))", "HHHH", ""),
    ("projection", "", ") -> list[Any]", "list(db.shops.find({}, {'name': 1, 'address.city': 1}))", "HHHH", ""),
    ("projection_unknown", "", ") -> list[Any]", "list(db.shops.find({}, {'naam': 1}))", "HRHH", "projection of find on shops names naam"),
    ("projection_computed", "", ") -> list[Any]", "list(db.shops.find({}, {'twice': {'$multiply': ['$rating', 2]}}))", "HHHH", ""),
    ("sort", "", ") -> list[Any]", "list(db.shops.find().sort('rating'))", "HHHH", ""),
    ("sort_unknown", "", ") -> list[Any]", "list(db.shops.find().sort('ratng'))", "HRHH", "sort of find on shops names ratng"),
    ("group", "", ") -> list[Any]", "list(db.shops.aggregate([{'$group': {'_id': '$address.city', 'n': {'$sum': 1}}}, {'$sort': {'n': -1}}]))", "HHHH", ""),
    ("group_loses_fields", "", ") -> list[Any]", "list(db.shops.aggregate([{'$group': {'_id': '$address.city', 'n': {'$sum': 1}}}, {'$sort': {'name': 1}}]))", "HRHH", "names name"),
    ("group_unknown", "", ") -> list[Any]", "list(db.shops.aggregate([{'$group': {'_id': '$city'}}]))", "HRHH", "names city"),
    ("group_key_parts", "", ") -> list[Any]", "list(db.shops.aggregate([{'$group': {'_id': {'c': '$address.city'}}}, {'$match': {'_id.c': 'Ulm'}}]))", "HHHH", ""),
    ("project_stage", "", ") -> list[Any]", "list(db.shops.aggregate([{'$project': {'city': '$address.city'}}, {'$match': {'city': 'Ulm'}}]))", "HHHH", ""),
    ("project_loses_fields", "", ") -> list[Any]", "list(db.shops.aggregate([{'$project': {'city': '$address.city'}}, {'$match': {'name': 'x'}}]))", "HRHH", "names name"),
    ("project_excludes", "", ") -> list[Any]", "list(db.shops.aggregate([{'$project': {'tags': 0}}, {'$match': {'name': 'x'}}]))", "HHHH", ""),
    ("unwind", "", ") -> list[Any]", "list(db.shops.aggregate([{'$unwind': '$staff'}, {'$match': {'staff.age': 3}}]))", "HHHH", ""),
    ("unwind_unknown", "", ") -> list[Any]", "list(db.shops.aggregate([{'$unwind': '$people'}]))", "HRHH", "people"),
    ("add_fields", "", ") -> list[Any]", "list(db.shops.aggregate([{'$set': {'double': {'$multiply': ['$rating', 2]}}}, {'$sort': {'double': 1}}]))", "HHHH", ""),
    ("lookup", "", ") -> list[Any]", "list(db.shops.aggregate([{'$lookup': {'from': 'orders', 'localField': '_id', 'foreignField': 'shop_id', 'as': 'os'}}, {'$match': {'os.total': {'$gt': 3}}}, {'$limit': 3}]))", "HHHH", ""),
    ("lookup_unknown_foreign", "", ") -> list[Any]", "list(db.shops.aggregate([{'$lookup': {'from': 'orders', 'localField': '_id', 'foreignField': 'shop', 'as': 'os'}}, {'$limit': 3}]))", "HRHH", "names shop,"),
    ("facet", "", ") -> list[Any]", "list(db.shops.aggregate([{'$facet': {'a': [{'$count': 'n'}], 'b': [{'$match': {'name': 'x'}}]}}, {'$project': {'a.n': 1}}]))", "HHHH", ""),
    ("facet_unknown", "", ") -> list[Any]", "list(db.shops.aggregate([{'$facet': {'b': [{'$match': {'nam': 'x'}}]}}]))", "HRHH", "names nam,"),
    ("distinct", "", ") -> list[Any]", "db.shops.distinct('address.city')", "HHHH", ""),
    ("distinct_unknown", "", ") -> list[Any]", "db.shops.distinct('city')", "HRHH", "key of distinct"),
    ("count", "x='a'", "x: str) -> int", "db.shops.count_documents({'name': x})", "HHHH", ""),
    ("update", "x=3.0", "x: float) -> int", "db.shops.update_many({'name': 'shop 1'}, {'$set': {'rating': x}}).modified_count", "HHHH", ""),
    ("update_unknown", "x=3.0", "x: float) -> int", "db.shops.update_many({'nam': 'q'}, {'$set': {'rating': x}}).modified_count", "HRHH", "filter of update"),
    ("update_sets_unknown", "x=3", "x: int) -> int", "db.shops.update_many({'name': 'q'}, {'$inc': {'ratings': x}}).modified_count", "HRHH", "update of update on shops names ratings"),
    ("delete_unknown", "", ") -> int", "db.shops.delete_many({'nam': 'q'}).deleted_count", "HRHH", "filter of delete"),
    ("find_and_modify", "", ") -> dict[str, Any] | None", "db.shops.find_one_and_update({'name': 'q'}, {'$set': {'note': 'x'}})", "HHHH", ""),
    ("undeclared_collection", "", ") -> list[Any]", "list(db.bare.find({'anything': 1}))", "HUHH", ""),
    ("may_be_absent", "x=1", "x: int) -> Shop", "shops.load(db.shops.find_one({'_id': x}))", "HHHU", ""),
    ("is_absent", "x=-1", "x: int) -> Shop", "(lambda d: d and shops.load(d))(db.shops.find_one({'_id': x}))", "HHHR", "gives None"),
    ("absent_told", "x=-1", "x: int) -> Shop | None", "(lambda d: d and shops.load(d))(db.shops.find_one({'_id': x}))", "HHHH", ""),
    ("wrong_result", "", ") -> list[int]", "db.shops.distinct('name')", "HRHH", "it returns list[int], and gives list"),
    ("iterator", "", ") -> Iterator[Shop]", "(shops.load(d) for d in db.shops.find().limit(3))", "HHHH", ""),
    ("weaker_validator", "", ") -> list[Loose]", "[loose.load(d) for d in db.loose.find()]", "HHRH", "loose takes a document"),
    ("example_of_another_type", "x=3", "x: str) -> int", "db.shops.count_documents({})", "RHHH", "x is str, and an example gives int 3"),
    ("example_of_another_name", "x=3, y=4", "x: int) -> int", "db.shops.count_documents({})", "RUUU", "no parameter y"),
    ("example_missing", "", "x: int) -> int", "db.shops.count_documents({})", "RUUU", "gives no x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, mongo_url: str) -> Report:
    folder = tmp_path_factory.mktemp("contracts") / "project"
    (folder / "src").mkdir(parents=True)
    files = {
        "dbtrust.toml": CONFIG,
        "shops.py": SHOPS,
        "orders.py": ORDERS,
        "loose.py": LOOSE,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    methods = "".join(
        f"    @example({arguments})\n    def {name}(self, {signature}:\n        db = self.db\n        return {body}\n"
        for name, arguments, signature, body, _, _ in CASES
    )
    (folder / "src" / "cases.py").write_text(f"{HEAD}\nclass Q(MongoQueries):\n{methods}", encoding="utf-8")
    return check(folder, only=["contract."], mongo=mongo_url)


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_contract(report: Report, case: tuple[str, str, str, str, str, str]) -> None:
    assert not report.errors, report.errors
    found: dict[str, Verdict] = {v.check: v for v in report.verdicts if v.subject == f"query:Q.{case[0]}"}
    told = [f"{v.verdict}: {v.message}" for v in found.values()]
    assert "".join(LETTERS[found[check].verdict] for check in CHECKS) == case[4], told
    assert case[5] in next((v.message for v in found.values() if v.verdict == "refuted"), "")


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 50


ASYNC = """
from __future__ import annotations
from collections.abc import AsyncIterator
from typing import Any
from pydantic import BaseModel, ConfigDict
from dbtrust import AsyncMongoQueries, Collection, claim, example

class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")

shops = Collection("shops", Anything)

class A(AsyncMongoQueries):
    @claim("id lookup")
    @example(x=1)
    async def one(self, x: int) -> dict[str, Any] | None:
        return await self.db.shops.find_one({"_id": x})

    @claim("no collection scan")
    @example()
    async def every(self) -> AsyncIterator[dict[str, Any]]:
        async for shop in self.db.shops.find({"rating": 3}):
            yield shop

    @example(name="new")
    async def rename(self, name: str) -> int:
        return (await self.db.shops.update_many({}, {"$set": {"name": name}})).modified_count
"""


def test_asynchronous_methods_are_run_and_judged(tmp_path: Path, mongo_url: str) -> None:
    (tmp_path / "cases.py").write_text(ASYNC, encoding="utf-8")
    (tmp_path / "shops.py").write_text(SHOPS, encoding="utf-8")
    config = '[project]\nname = "a"\npython = ["."]\n[mongo]\nversion = "6.0"\ncollections = ["cases:shops"]\nqueries = ["cases:A"]\n[data.shops]\nfile = "shops.py"\nrows = 20\n'
    (tmp_path / "dbtrust.toml").write_text(config, encoding="utf-8")
    report = check(tmp_path, only=["mongo"], mongo=mongo_url)
    assert not report.errors, report.errors
    found = {(v.subject.rpartition(".")[2], v.check): v.verdict for v in report.verdicts}
    assert found["one", "query.prepares"] == found["one", "claim.id_lookup"] == "holds"
    assert found["every", "claim.no_collection_scan"] == "refuted"
    assert found["every", "contract.parameters"] == "holds"
    assert found["rename", "query.prepares"] == "holds"
