"""Paths, values and stages of MongoDB commands, judged over a shape without a server."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
from bson import ObjectId, Regex

from dbtrust.judge.mongo_commands import Reading
from dbtrust.judge.mongo_shapes import Shapes, UnknownPath, find, shape_of

SCHEMA: dict[str, Any] = {
    "bsonType": "object",
    "required": ["name"],
    "properties": {
        "_id": {"bsonType": "objectId"}, "name": {"bsonType": "string"}, "rating": {"bsonType": ["number", "null"]},
        "open": {"bsonType": "bool"}, "at": {"bsonType": "date"}, "kind": {"enum": ["a", "b", None]},
        "tags": {"bsonType": "array", "items": {"bsonType": "string"}}, "counts": {"bsonType": "object", "additionalProperties": {"bsonType": "int"}},
        "bag": {"bsonType": "object"}, "anything": {},
        "address": {"bsonType": "object", "properties": {"city": {"bsonType": "string"}, "zip": {"bsonType": "string"}}},
        "staff": {"bsonType": "array", "items": {"bsonType": "object", "properties": {"name": {"bsonType": "string"}, "age": {"bsonType": "int"}}}},
        "pet": {"anyOf": [
            {"bsonType": "object", "properties": {"size": {"bsonType": "int"}, "barks": {"bsonType": "bool"}}},
            {"bsonType": "object", "properties": {"size": {"bsonType": "string"}}}, {"bsonType": "null"},
        ]},
    },
}  # fmt: skip
ORDERS = {
    "properties": {
        "_id": {"bsonType": "int"},
        "shop": {"bsonType": "string"},
        "total": {"bsonType": "double"},
    }
}


def read(name: str, command: dict[str, Any], *, live: bool = False) -> tuple[str, str]:
    """("path" | "value" | "unsure" | "", what was said) of a command."""
    shapes = Shapes({
        "shops": shape_of(SCHEMA, closed=not live, vague=live),
        "orders": shape_of(ORDERS, closed=True),
    })  # fmt: skip
    reading = Reading(shapes)
    reading.command(name, {name: "shops", **command})
    if reading.faults:
        return reading.faults[0].kind, f"{reading.faults[0].message} / {reading.faults[0].next}"
    return ("unsure", reading.unsure[0]) if reading.unsure else ("", "")


FILTERS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "x", "address.city": "x", "staff.0.age": 3, "staff.name": "x", "counts.any": 1, "bag.any.deep": 1}, "", ""),
    ({"nmae": 1}, "path", "names nmae, which its documents do not have / did you mean name?"),
    ({"address.town": 1}, "path", "address.town"), ({"name.0": "x"}, "path", "name.0"), ({"counts.a.b": 1}, "path", "counts.a.b"),
    ({"address": {"city": "Ulm", "zap": "1"}}, "path", "did you mean address.zip?"), ({"address": {"city": "Ulm"}}, "", ""),
    ({"staff": {"name": "x", "aeg": 1}}, "path", "staff.aeg"), ({"staff": {"name": "x", "age": 1}}, "", ""),
    ({"name": 3}, "value", "compares name with the number 3, and it holds string"), ({"name": None}, "", ""),
    ({"name": {"$ne": 3}}, "value", "name"), ({"name": {"$nin": ["a", 3]}}, "value", "number 3"), ({"name": {"$in": ["a", None]}}, "", ""),
    ({"name": {"$not": {"$gt": 3}}}, "value", "number 3"), ({"rating": {"$gt": "3"}}, "value", "null or number"), ({"rating": True}, "value", "bool"),
    ({"_id": "0" * 24}, "value", "holds objectId"), ({"_id": ObjectId('000000000000000000000001')}, "", ""), ({"at": datetime.datetime(2024, 1, 1)}, "", ""),
    ({"at": {"$gte": "2024"}}, "value", "date"), ({"tags": "a"}, "", ""), ({"tags": ["a", "b"]}, "", ""), ({"tags": ["a", 1]}, "value", "tags"),
    ({"tags": {"$all": ["a", 1]}}, "value", "number 1"), ({"tags": {"$size": 2, "$elemMatch": {"$eq": 1}}}, "value", "number 1"),
    ({"name": {"$elemMatch": {"$eq": "x"}}}, "value", "looks for elements of name"), ({"staff": {"$elemMatch": {"$or": [{"age": 3}, {"nam": 1}]}}}, "path", "nam"),
    ({"staff": {"$all": [{"$elemMatch": {"aeg": 1}}]}}, "path", "aeg"), ({"name": re.compile("x")}, "", ""), ({"rating": re.compile("x")}, "value", "regular expression"),
    ({"rating": {"$regex": "^1"}}, "value", "regular expression"), ({"tags": Regex("x")}, "", ""), ({"rating": {"$not": Regex("x")}}, "value", "regular"),
    ({"kind": "c"}, "", ""), ({"kind": 3}, "value", "kind"), ({"anything": object}, "", ""), ({"pet.size": 3}, "", ""), ({"pet.size": "big"}, "", ""),
    ({"pet.size": True}, "value", "pet.size"), ({"pet.barks": True}, "", ""), ({"pet.purrs": True}, "path", "pet.purrs"),
    ({"$nor": [{"name": 1}]}, "value", "name"), ({"$and": [{"$or": [{"nme": 1}]}]}, "path", "nme"), ({"$text": {"$search": "x"}}, "", ""),
    ({"$expr": {"$eq": ["$name", 3]}}, "value", "number 3"), ({"$expr": {"$gt": [3, "$name"]}}, "value", "number 3"),
    ({"$expr": {"$in": ["$name", ["a", 4]]}}, "value", "number 4"), ({"$expr": {"$eq": ["$name", "$addres.city"]}}, "path", "addres.city"),
    ({"$expr": {"$eq": ["$name", "$$x"]}}, "", ""), ({"$expr": {"$ne": ["$rating", None]}}, "", ""), ({"$foo": 1}, "unsure", "$foo"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "kind", "said"), FILTERS, ids=[str(f[0])[:60] for f in FILTERS])
def test_filters(condition: dict[str, Any], kind: str, said: str) -> None:
    found = read("find", {"filter": condition})
    assert found[0] == kind, found
    assert said in found[1]


M = "$match"
PIPELINES: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"$group": {"_id": "$address.city", "n": {"$sum": 1}, "top": {"$max": "$name"}}}, {M: {"n": {"$gt": 1}, "top": "x"}}], "", ""),
    ([{"$group": {"_id": None, "n": {"$sum": 1}}}, {M: {"n": "1"}}], "value", "holds number"), ([{"$group": {"_id": None, "n": {"$sum": 1}}}, {M: {"name": "x"}}], "path", "name"),
    ([{"$group": {"_id": {"c": "$address.city"}}}, {M: {"_id.d": 1}}], "path", "_id.d"), ([{"$group": {"_id": 1, "all": {"$push": "$$ROOT"}}}, {M: {"all.name": "x"}}], "", ""),
    ([{"$group": {"_id": 1, "all": {"$push": "$$ROOT"}}}, {M: {"all.nam": "x"}}], "path", "all.nam"), ([{"$group": {"_id": 1, "one": {"$first": "$address"}}}, {"$sort": {"one.cty": 1}}], "path", "one.cty"),
    ([{"$project": {"address.city": 1}}, {M: {"address.zip": "1"}}], "path", "address.zip"), ([{"$project": {"address": {"city": 1}}}, {M: {"address.city": "1"}}], "", ""),
    ([{"$project": {"address": {"town": 1}}}], "path", "address.town"), ([{"$project": {"staff.name": 1}}, {M: {"staff.age": 1}}], "path", "staff.age"),
    ([{"$project": {"staff.name": 1}}, {M: {"staff.name": "x"}}], "", ""), ([{"$project": {"tags": 0}}, {M: {"tags": "x"}}], "path", "tags"),
    ([{"$project": {"address.zip": 0}}, {M: {"address.city": "x"}}], "", ""), ([{"$project": {"address.zip": 0}}, {M: {"address.zip": "x"}}], "path", "address.zip"),
    ([{"$project": {"_id": 0, "name": 1}}, {"$sort": {"_id": 1}}], "path", "_id"), ([{"$project": {"_id": 0}}, {M: {"name": "x"}}], "", ""),
    ([{"$project": {"n": {"$size": "$tags"}}}, {M: {"n": {"$gte": 2}}}], "", ""), ([{"$unset": ["tags", "address.zip"]}, {M: {"address.zip": "x"}}], "path", "address.zip"),
    ([{"$addFields": {"address.full": {"$concat": ["$name", "x"]}}}, {M: {"address.full": "x", "address.city": "y"}}], "", ""),
    ([{"$set": {"x": {"$concat": ["$nam", "x"]}}}], "path", "nam"), ([{"$unwind": "$staff"}, {M: {"staff.age": 3}}, {"$group": {"_id": "$staff.name"}}], "", ""),
    ([{"$unwind": "$tags"}, {M: {"tags": 3}}], "value", "tags"), ([{"$unwind": {"path": "$staff", "includeArrayIndex": "i"}}, {"$sort": {"i": 1}}], "", ""),
    ([{"$group": {"_id": "$staff.name"}}, {M: {"_id": "x"}}], "", ""), ([{"$lookup": {"from": "orders", "localField": "name", "foreignField": "shop", "as": "os"}}, {M: {"os.total": 1}}], "", ""),
    ([{"$lookup": {"from": "orders", "localField": "nme", "foreignField": "shop", "as": "os"}}], "path", "nme"),
    ([{"$lookup": {"from": "orders", "localField": "name", "foreignField": "shp", "as": "os"}}], "path", "shp"),
    ([{"$lookup": {"from": "orders", "localField": "name", "foreignField": "shop", "as": "os"}}, {M: {"os.totl": 1}}], "path", "os.totl"),
    ([{"$lookup": {"from": "nowhere", "localField": "name", "foreignField": "shop", "as": "os"}}], "unsure", "nowhere"),
    ([{"$lookup": {"from": "orders", "let": {"n": "$name"}, "pipeline": [{M: {"$expr": {"$eq": ["$shop", "$$n"]}}}, {"$project": {"total": 1}}], "as": "os"}}, {M: {"os.shop": "x"}}], "path", "os.shop"),
    ([{"$facet": {"a": [{"$count": "n"}], "b": [{M: {"nam": 1}}]}}], "path", "nam"), ([{"$facet": {"a": [{"$count": "n"}]}}, {"$project": {"n": {"$arrayElemAt": ["$a.n", 0]}}}], "", ""),
    ([{"$replaceRoot": {"newRoot": "$address"}}, {M: {"city": "x"}}], "", ""), ([{"$replaceWith": "$address"}, {M: {"name": "x"}}], "path", "name"),
    ([{"$replaceRoot": {"newRoot": {"$mergeObjects": ["$address", {"a": 1}]}}}, {M: {"whatever": 1}}], "unsure", "whatever"),
    ([{"$unionWith": "orders"}, {M: {"total": 1.0}}], "", ""), ([{"$unionWith": "orders"}, {M: {"totl": 1.0}}], "path", "totl"), ([{"$unionWith": {"coll": "orders", "pipeline": [{M: {"nam": 1}}]}}], "path", "nam"),
    ([{"$unionWith": "nowhere"}, {M: {"total": 1.0}}], "unsure", "nowhere"), ([{"$sortByCount": "$address.city"}, {M: {"count": {"$gt": 3}, "_id": "x"}}], "", ""),
    ([{"$bucket": {"groupBy": "$rating", "boundaries": [0, 5], "output": {"n": {"$sum": 1}}}}, {"$sort": {"count": 1}}], "path", "count"),
    ([{"$setWindowFields": {"partitionBy": "$kind", "sortBy": {"at": 1}, "output": {"r": {"$rank": {}}}}}, {M: {"r": 1, "name": "x"}}], "", ""),
    ([{"$setWindowFields": {"sortBy": {"att": 1}, "output": {"r": {"$rank": {}}}}}], "path", "att"), ([{"$densify": {"field": "att", "range": {}}}], "path", "att"),
    ([{"$fill": {"sortBy": {"at": 1}, "output": {"ratng": {"method": "locf"}}}}], "path", "ratng"), ([{"$novelty": {}}], "unsure", "$novelty"),
    ([{"$limit": 1}, {"$sample": {"size": 1}}, {"$out": "x"}], "", ""), ([{"$project": {"x": {"$filter": {"input": "$staff", "as": "s", "cond": {"$gt": ["$$s.age", 3]}}}}}, {M: {"x.aeg": 1}}], "path", "x.aeg"),
    ([{"$project": {"x": {"$ifNull": ["$rating", 0]}}}, {M: {"x": "high"}}], "value", "x"), ([{"$addFields": {"x": {"$literal": "$nothing"}}}, {M: {"x": "y"}}], "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("stages", "kind", "said"), PIPELINES, ids=[str(p[0])[:70] for p in PIPELINES])
def test_pipelines(stages: list[dict[str, Any]], kind: str, said: str) -> None:
    found = read("aggregate", {"pipeline": stages})
    assert found[0] == kind, found
    assert said in found[1]


COMMANDS: list[tuple[str, dict[str, Any], str, str]] = [
    ("find", {"projection": {"address": {"town": 1}}}, "path", "projection of find on shops names address.town"),
    ("find", {"projection": {"staff": {"$slice": 2}, "tags": {"$elemMatch": {"$eq": "a"}}, "score": {"$meta": "textScore"}}, "sort": {"score": {"$meta": "textScore"}}}, "", ""),
    ("find", {"projection": {"stff": {"$slice": 2}}}, "path", "stff"), ("find", {"projection": {"staff.$": 1}}, "", ""), ("find", {"sort": {"ratng": 1}}, "path", "ratng"),
    ("distinct", {"key": "address.cty"}, "path", "key of distinct"), ("count", {"query": {"nme": 1}}, "path", "nme"),
    ("update", {"updates": [{"q": {}, "u": {"$set": {"staff.$[p].age": 3, "staff.$.name": "x", "staff.$[].age": 1, "counts.new": 1}}}]}, "", ""),
    ("update", {"updates": [{"q": {}, "u": {"$set": {"staff.$[p].aeg": 3}}}]}, "path", "aeg"), ("update", {"updates": [{"q": {}, "u": {"$inc": {"ratings": 3}}}]}, "path", "ratings"),
    ("update", {"updates": [{"q": {}, "u": {"$set": {"rating": "3"}}}]}, "value", "sets rating to the string"), ("update", {"updates": [{"q": {}, "u": {"$set": {"rating": None}}}]}, "", ""),
    ("update", {"updates": [{"q": {}, "u": {"$set": {"address": {"city": "x", "town": 1}}}}]}, "path", "address.town"), ("update", {"updates": [{"q": {}, "u": {"$push": {"tags": 3}}}]}, "value", "tags"),
    ("update", {"updates": [{"q": {}, "u": {"$push": {"tags": {"$each": ["a", 3]}}}}]}, "value", "tags"), ("update", {"updates": [{"q": {}, "u": {"$push": {"staff": {"name": "x", "age": 3}}}}]}, "", ""),
    ("update", {"updates": [{"q": {}, "u": {"$rename": {"name": "nom"}}}]}, "path", "nom"), ("update", {"updates": [{"q": {}, "u": [{"$set": {"rating": {"$add": ["$rating", 1]}}}]}]}, "", ""),
    ("update", {"updates": [{"q": {}, "u": [{"$set": {"ratings": 1}}]}]}, "path", "ratings"), ("update", {"updates": [{"q": {}, "u": [{"$set": {"tmp": 1}}, {"$set": {"rating": "$tmp"}}, {"$unset": "tmp"}]}]}, "", ""),
    ("update", {"updates": [{"q": {}, "u": {"name": "x", "nam": 1}}]}, "path", "nam"), ("insert", {"documents": [{"name": "x", "staff": [{"nme": "y"}]}]}, "path", "staff.nme"),
    ("insert", {"documents": [{"_id": ObjectId('000000000000000000000001'), "name": "x"}]}, "", ""), ("delete", {"deletes": [{"q": {"nme": 1}}]}, "path", "nme"),
    ("findAndModify", {"query": {"name": "x"}, "update": {"$set": {"nam": 1}}}, "path", "nam"), ("findAndModify", {"query": {"name": "x"}, "fields": {"nam": 1}}, "path", "nam"),
    ("bulkWrite", {"ops": []}, "unsure", "bulkWrite"), ("aggregate", {"aggregate": 1, "pipeline": []}, "unsure", "aggregate"), ("find", {"find": "nowhere", "filter": {"a": 1}}, "unsure", "nowhere"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "command", "kind", "said"), COMMANDS, ids=[str(c[:2])[:70] for c in COMMANDS]
)
def test_commands(name: str, command: dict[str, Any], kind: str, said: str) -> None:
    found = read(name, command)
    assert found[0] == kind, found
    assert said in found[1]


def test_a_validator_alone_does_not_say_which_other_fields_exist() -> None:
    assert read("find", {"filter": {"nmae": 1}}, live=True)[0] == "unsure"
    assert "name is declared" in read("find", {"filter": {"nmae": 1}}, live=True)[1]
    assert read("find", {"filter": {"name": 1}}, live=True)[0] == "value"
    assert read("find", {"filter": {"name.first": 1}}, live=True)[0] == "path"


def test_fields_of_equal_names_in_a_union_hold_both() -> None:
    pet = find(shape_of(SCHEMA, closed=True), "pet.size")
    assert pet.kinds == {"number", "string"}
    with pytest.raises(UnknownPath):
        find(shape_of(SCHEMA, closed=True), "pet.size.x")
