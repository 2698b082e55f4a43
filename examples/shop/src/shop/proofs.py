# @TEST:DB-002:PROOF | The server refuses what breaks one rule of the validator; the write path keeps its timestamps
# SPEC: SPEC-DB-002.md | CODE: src/shop/products.py
"""Proofs about products, each on a scratch copy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from dbtrust import proof
from shop.products import Product, products

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def _good(**changes: Any) -> dict[str, Any]:
    document = products.dump(Product(name="proof", category="proofs", price=1.0))
    return {key: value for key, value in {**document, **changes}.items() if value is not ...}


@proof("refused 121 on name")
def name_is_required(db: Database[Any]) -> object:
    return db.products.insert_one(_good(name=...))


@proof("refused 121 on category")
def category_is_required(db: Database[Any]) -> object:
    return db.products.insert_one(_good(category=...))


@proof("refused 121 on price")
def price_is_required(db: Database[Any]) -> object:
    return db.products.insert_one(_good(price=...))


@proof("refused 121 on price")
def price_is_not_negative(db: Database[Any]) -> object:
    return db.products.insert_one(_good(price=-0.01))


@proof("refused 121 on tags")
def tags_are_text(db: Database[Any]) -> object:
    return db.products.insert_one(_good(tags=[1]))


@proof("refused 121 on inventory.quantity")
def quantity_is_not_negative(db: Database[Any]) -> object:
    return db.products.insert_one(_good(inventory={"quantity": -1, "warehouse": None}))


@proof("refused 121 on createdAt")
def created_at_is_a_date(db: Database[Any]) -> object:
    return db.products.insert_one(_good(createdAt="2000-01-01"))


@proof("true")
def free_things_are_sold(db: Database[Any]) -> object:
    return db.products.insert_one(_good(price=0)).acknowledged


@proof("true")
def touch_moves_updated_at(db: Database[Any]) -> object:
    key = db.products.insert_one(_good(updatedAt=LONG_AGO)).inserted_id
    db.products.update_one({"_id": key}, products.touch({"$set": {"price": 2.0}}))
    found = db.products.find_one({"_id": key})
    return found is not None and found["price"] == 2.0 and found["updatedAt"] > LONG_AGO


@proof("true")
def dump_sets_both_timestamps(db: Database[Any]) -> object:
    key = db.products.insert_one(_good()).inserted_id
    found = db.products.find_one({"_id": key})
    return found is not None and found["createdAt"] == found["updatedAt"] > LONG_AGO
