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


@proof("refused 121 on _id")
def id_is_an_object_id(db: Database[Any]) -> object:
    return db.products.insert_one(_good(_id="mine"))


@proof("refused 121 on price")
def price_is_a_number(db: Database[Any]) -> object:
    return db.products.insert_one(_good(price="cheap"))


@proof("refused 121 on metadata")
def metadata_is_an_object(db: Database[Any]) -> object:
    return db.products.insert_one(_good(metadata="none"))


@proof("refused 121 on metadata.brand")
def brand_is_text(db: Database[Any]) -> object:
    return db.products.insert_one(_good(metadata={"brand": 7}))


@proof("refused 121 on metadata.model")
def model_is_text(db: Database[Any]) -> object:
    return db.products.insert_one(_good(metadata={"model": 7}))


@proof("refused 121 on metadata.year")
def year_is_whole(db: Database[Any]) -> object:
    return db.products.insert_one(_good(metadata={"year": 1999.5}))


@proof("refused 121 on inventory")
def inventory_is_an_object(db: Database[Any]) -> object:
    return db.products.insert_one(_good(inventory=[]))


@proof("refused 121 on inventory.quantity")
def quantity_is_whole(db: Database[Any]) -> object:
    return db.products.insert_one(_good(inventory={"quantity": 1.5}))


@proof("refused 121 on inventory.warehouse")
def warehouse_is_text(db: Database[Any]) -> object:
    return db.products.insert_one(_good(inventory={"warehouse": 7}))


@proof("refused 121 on updatedAt")
def updated_at_is_a_date(db: Database[Any]) -> object:
    return db.products.insert_one(_good(updatedAt="2000-01-01"))


@proof("refused 121 on price")
def an_old_mistake_is_mended_at_its_next_update(db: Database[Any]) -> object:
    key = db.products.insert_one(_good(price=-1), bypass_document_validation=True).inserted_id
    return db.products.update_one({"_id": key}, {"$set": {"tags": ["found"]}})


@proof("true")
def low_inventory_holds_what_is_low(db: Database[Any]) -> object:
    index = db.products.index_information()["idx_low_inventory"]
    return index["partialFilterExpression"] == {"inventory.quantity": {"$lt": 10}}


@proof("true")
def an_empty_shelf_is_counted(db: Database[Any]) -> object:
    return db.products.insert_one(_good(inventory={"quantity": 0})).acknowledged


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
