# @CODE:DB-002:MIGRATION | The collection with its validator and the first two indexes
# SPEC: SPEC-DB-002.md | TEST: tests/test_products.py
"""Creates products. The validator is written out: a migration does not change when the model does."""

from dbtrust.migrations import create_collection, create_index

TEXT_OR_NULL = {"bsonType": ["string", "null"]}
DATE_OR_NULL = {"bsonType": ["date", "null"]}

VALIDATOR = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["name", "category", "price"],
        "properties": {
            "_id": {"bsonType": ["objectId", "null"]},
            "name": {"bsonType": "string"},
            "category": {"bsonType": "string"},
            "price": {"bsonType": "number", "minimum": 0},
            "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
            "metadata": {
                "bsonType": "object",
                "properties": {
                    "brand": TEXT_OR_NULL,
                    "model": TEXT_OR_NULL,
                    "year": {"bsonType": ["int", "long", "null"]},
                },
            },
            "inventory": {
                "bsonType": "object",
                "properties": {
                    "quantity": {"bsonType": ["int", "long"], "minimum": 0},
                    "warehouse": TEXT_OR_NULL,
                },
            },
            "createdAt": DATE_OR_NULL,
            "updatedAt": DATE_OR_NULL,
        },
    }
}

steps = [
    create_collection("products", validator=VALIDATOR),
    create_index("products", [("name", 1)], name="idx_name"),
    create_index("products", [("createdAt", 1)], name="idx_created_at"),
]


def products_exist(db):
    return "products" in db.list_collection_names()


verify = [products_exist]
