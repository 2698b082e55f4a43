"""Every clause of a validator is broken alone; what the server does not insist on, and what cannot be made, is told."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from pymongo.database import Database

from dbtrust.engine.mongo.trial import Bench
from dbtrust.judge.mongo_clauses import clauses, without
from dbtrust.model.report import Verdict
from dbtrust.schema.constraints_mongo import judge_validators

Fresh = Callable[[], AbstractContextManager[Database[Any]]]

ORDERS: dict[str, Any] = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["number", "customer", "lines"],
        "additionalProperties": False,
        "properties": {
            "_id": {"bsonType": "objectId"},
            "number": {"bsonType": "string", "pattern": "^ORD-[0-9]{6}$"},
            "customer": {
                "bsonType": "object",
                "required": ["email"],
                "properties": {
                    "email": {"bsonType": "string", "pattern": "@", "minLength": 5, "maxLength": 80},
                    "tier": {"enum": ["free", "gold", None]},
                },
            },
            "lines": {
                "bsonType": "array",
                "minItems": 1,
                "maxItems": 5,
                "items": {
                    "bsonType": "object",
                    "required": ["sku", "quantity"],
                    "properties": {
                        "sku": {"bsonType": "string"},
                        "quantity": {"bsonType": "int", "minimum": 1, "maximum": 99},
                        "price": {"bsonType": ["double", "decimal"], "minimum": 0, "exclusiveMinimum": True},
                    },
                },
            },
            "tags": {
                "bsonType": "array",
                "uniqueItems": True,
                "items": {"bsonType": "string", "maxLength": 12},
            },
            "placed": {"bsonType": "date"},
            "step": {"bsonType": "int", "multipleOf": 5},
            "payment": {
                "oneOf": [
                    {
                        "bsonType": "object",
                        "required": ["card"],
                        "properties": {"card": {"bsonType": "string"}},
                    },
                    {
                        "bsonType": "object",
                        "required": ["iban"],
                        "properties": {"iban": {"bsonType": "string"}},
                    },
                ]
            },
            "note": {"bsonType": "string", "not": {"enum": ["", "todo"]}},
            "labels": {
                "bsonType": "object",
                "patternProperties": {"^x-": {"bsonType": "string"}},
                "maxProperties": 3,
            },
            "gift": {
                "bsonType": "object",
                "dependencies": {"wrap": ["card"]},
                "properties": {"wrap": {"bsonType": "bool"}},
            },
            "code": {"anyOf": [{"bsonType": "int"}, {"bsonType": "string", "minLength": 2}]},
            "both": {"allOf": [{"bsonType": "int"}, {"minimum": 10}]},
        },
    }
}


@pytest.fixture
def fresh(mongo_client: Any) -> Fresh:
    @contextmanager
    def make() -> Generator[Database[Any]]:
        name = f"t_{uuid.uuid4().hex[:12]}"
        try:
            yield mongo_client[name]
        finally:
            mongo_client.drop_database(name)

    return make


def told(verdicts: list[Verdict]) -> dict[str, str]:
    return {v.claim or v.subject: v.verdict for v in verdicts}


def test_every_clause_is_proven(mongo_db: Database[Any], fresh: Fresh) -> None:
    mongo_db.create_collection("orders", validator=ORDERS)
    mongo_db.orders.create_index("number", unique=True, name="by_number")
    mongo_db.orders.create_index(
        "payment.card", unique=True, name="card", partialFilterExpression={"step": {"$gt": 9}}
    )
    found = judge_validators(mongo_db, fresh)
    other = {v.claim or v.subject: (v.verdict, v.message) for v in found if v.verdict != "holds"}
    assert not other
    assert len(found) == len(clauses(ORDERS)) + 1 >= 44  # bsonType object of the document is no rule
    for verdict in found:
        if verdict.verdict == "holds":
            assert verdict.evidence["without it"] == "accepted" and verdict.subject in {
                "collection:orders", "index:orders.by_number", "index:orders.card",
            }  # fmt: skip


def test_query_operators_and_expr(mongo_db: Database[Any], fresh: Fresh) -> None:
    validator: dict[str, Any] = {
        "$and": [
            {"status": {"$in": ["open", "done"]}},
            {"$jsonSchema": {"properties": {"kind": {"bsonType": "string", "enum": ["a", "b"]}}}},
        ],
        "low": {"$gte": 0, "$type": "int"},
        "kind": {"$exists": True},
        "email": {"$regex": "@", "$options": "i"},
        "$expr": {"$lt": ["$low", "$high"]},
        "$or": [{"a": 1}, {"b": {"$exists": True}}],
    }
    mongo_db.create_collection("c", validator=validator)
    found = judge_validators(mongo_db, fresh)
    assert {v.claim: v.message for v in found if v.verdict != "holds"} == {}
    assert len(found) == 9
    # No value has another type and is one of the texts: the server itself names both clauses.
    masked = [v.claim for v in found if v.evidence["without it"] != "accepted"]
    assert masked == ["kind: bsonType string"]


@pytest.mark.parametrize(
    ("options", "outcome", "word"),
    [
        ({"validationAction": "warn"}, "refuted", "warn"),
        ({"validationLevel": "off"}, "refuted", "off"),
        ({"validationLevel": "moderate"}, "unproved", "moderate"),
    ],
)
def test_a_server_that_does_not_insist(
    mongo_db: Database[Any], fresh: Fresh, options: dict[str, str], outcome: str, word: str
) -> None:
    mongo_db.create_collection("c", validator={"$jsonSchema": {"required": ["a"]}}, **options)
    found = judge_validators(mongo_db, fresh)
    level = [v for v in found if v.claim in ("validationAction", "validationLevel")]
    assert [v.verdict for v in level] == [outcome] and word in level[0].message
    assert ("a: required" in told(found)) == (outcome == "unproved")


def test_what_has_no_validator_or_no_document(mongo_db: Database[Any], fresh: Fresh) -> None:
    mongo_db.create_collection("free")
    mongo_db.create_collection(
        "never", validator={"$jsonSchema": {"required": ["a"], "properties": {"a": {"not": {}}}}}
    )
    mongo_db.create_collection("fine", validator={"$jsonSchema": {"required": ["a"]}})
    mongo_db.create_collection("idle", validator={"$expr": {"$eq": [1, 1]}})
    mongo_db.create_collection("view", viewOn="fine", pipeline=[])
    found = judge_validators(mongo_db, fresh)
    by_subject = {(v.subject, v.claim): v for v in found}
    assert by_subject["collection:free", ""].verdict == "not_applicable"
    assert by_subject["collection:fine", "a: required"].verdict == "holds"
    never = by_subject["collection:never", "a: required"]
    assert never.verdict == "unproved" and "@proof" in never.next
    assert [v.verdict for v in found if v.subject == "collection:idle"] == ["unproved"]


def test_a_clause_that_is_gone_never_holds(mongo_db: Database[Any]) -> None:
    """For each clause there is a document that only the whole validator refuses: without it nothing would."""
    kept = [clause for clause in clauses(ORDERS) if clause.text != "the document: bsonType object"]
    bench = Bench(mongo_db, ORDERS)
    for clause in kept:
        rest = without(ORDERS, clause)
        bench.guard(rest)
        assert clause.text not in [c.text for c in clauses(rest)], clause
