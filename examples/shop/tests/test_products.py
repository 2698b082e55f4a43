# @TEST:DB-002 | Products: the validator, round trips, timestamps
# SPEC: SPEC-DB-002.md | CODE: src/shop/products.py
# @TEST:DB-004 | The queries find what the new indexes hold
# SPEC: SPEC-DB-004.md | CODE: migrations/0004_add_product_indexes.py
"""Products: what the server refuses and what comes back."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.database import Database
from pymongo.errors import WriteError

from shop.products import Product, ProductQueries
from shop.products import products as declared


def test_a_product_comes_back_as_it_went(products: ProductQueries, database: Database[Any]) -> None:
    key = products.insert(Product(name="lamp", category="tests", price=12.5, tags=["new"]))
    try:
        found = products.by_id(key)
        assert found is not None
        assert (found.name, found.price, found.tags) == ("lamp", 12.5, ["new"])
        assert found.created_at == found.updated_at
        assert products.by_category_and_price("tests", 12.0, 13.0) == [found]
        assert products.by_name("lamp") == [found]
        assert products.search("lamp")[0]["_id"] == key
    finally:
        database.products.delete_one({"_id": key})


def test_repricing_moves_updated_at(products: ProductQueries, database: Database[Any]) -> None:
    key = products.insert(Product(name="desk", category="tests", price=1))
    try:
        before = products.by_id(key)
        assert products.reprice(key, 2.5) == 1
        after = products.by_id(key)
        assert before is not None and after is not None
        assert before.updated_at is not None and after.updated_at is not None
        assert after.price == 2.5
        assert after.updated_at >= before.updated_at
        assert after.created_at == before.created_at
    finally:
        database.products.delete_one({"_id": key})


@pytest.mark.parametrize("broken", [{"price": -1.0}, {"name": 7}, {"category": None}, {"tags": "new"}])
def test_the_server_refuses(database: Database[Any], broken: dict[str, Any]) -> None:
    good = declared.dump(Product(name="chair", category="tests", price=1))
    before = database.products.estimated_document_count()
    with pytest.raises(WriteError) as caught:
        database.products.insert_one({**good, **broken})
    assert caught.value.code == 121
    assert database.products.estimated_document_count() == before


def test_the_summary_counts_every_product(products: ProductQueries, database: Database[Any]) -> None:
    summary = products.category_summary()
    assert sum(group["count"] for group in summary) == database.products.count_documents({})
    assert [group["_id"] for group in summary] == sorted(group["_id"] for group in summary)


def test_low_stock_is_low(products: ProductQueries) -> None:
    found = products.low_stock()
    assert found and all(p.inventory.quantity < 10 for p in found)


def test_recent_is_newest_first(products: ProductQueries) -> None:
    dates = [p.created_at for p in products.recent(5) if p.created_at]
    assert len(dates) == 5 and dates == sorted(dates, reverse=True)


def test_an_operator_in_a_value_is_a_value(products: ProductQueries) -> None:
    assert products.by_name("{'$gt': ''}") == []
    assert products.projection_by_category("$where") == []
