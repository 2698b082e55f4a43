# @CODE:DB-004 | Compound, partial and text index, one step each: index DDL fails inside a transaction
# SPEC: SPEC-DB-004.md | TEST: tests/test_products.py
"""Adds three indexes to products; each step's inverse drops its index again."""

from dbtrust.migrations import create_index

steps = [
    create_index("products", [("category", 1), ("price", -1)], name="idx_category_price"),
    create_index(
        "products",
        [("inventory.quantity", 1)],
        name="idx_low_inventory",
        partialFilterExpression={"inventory.quantity": {"$lt": 10}},
    ),
    create_index("products", [("name", "text"), ("metadata.brand", "text")], name="idx_text_search"),
]


def three_indexes_more(db):
    names = set(db.products.index_information())
    return {"idx_category_price", "idx_low_inventory", "idx_text_search"} <= names


verify = [three_indexes_more]
