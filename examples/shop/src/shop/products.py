# @CODE:DB-002 | Products: one model gives validator and types; each claim is about the commands a method sends
# SPEC: SPEC-DB-002.md | TEST: tests/test_products.py
"""Products in MongoDB."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, TEXT, IndexModel

from dbtrust import Collection, MongoQueries, claim, example


class Metadata(BaseModel):
    """Who made it, and when."""

    brand: str | None = None
    model: str | None = None
    year: int | None = None


class Inventory(BaseModel):
    """How many there are, and where."""

    quantity: Annotated[int, Field(ge=0)] = 0
    warehouse: str | None = None


class Product(BaseModel):
    """A product; `id` is MongoDB's own."""

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    id: ObjectId | None = Field(default=None, alias="_id")
    name: str
    category: str
    price: Annotated[float, Field(ge=0)]
    tags: list[str] = []
    metadata: Metadata = Metadata()
    inventory: Inventory = Inventory()
    created_at: datetime | None = Field(default=None, alias="createdAt")
    updated_at: datetime | None = Field(default=None, alias="updatedAt")


# What the migrations build: 0002 the collection and its first two indexes, 0004 the others.
products = Collection(
    "products",
    Product,
    indexes=[
        IndexModel([("name", ASCENDING)], name="idx_name"),
        IndexModel([("createdAt", ASCENDING)], name="idx_created_at"),
        # Equality first, then the order. It also serves category alone: a second index would repeat its prefix.
        IndexModel([("category", ASCENDING), ("price", DESCENDING)], name="idx_category_price"),
        IndexModel(
            [("inventory.quantity", ASCENDING)],
            name="idx_low_inventory",
            partialFilterExpression={"inventory.quantity": {"$lt": 10}},
        ),
        IndexModel([("name", TEXT), ("metadata.brand", TEXT)], name="idx_text_search"),
    ],
    timestamps=("createdAt", "updatedAt"),
)

Document = dict[str, Any]


class ProductQueries(MongoQueries):
    """Queries over products."""

    @claim("id lookup", "express", "examines at most 1 documents per result")
    @example("first", id=ObjectId("000000000000000000000001"))
    @example("absent", id=ObjectId("ffffffffffffffffffffffff"))
    def by_id(self, id: ObjectId) -> Product | None:
        """One product. On MongoDB 8.0 and later the server answers without planning (Express)."""
        found = self.db.products.find_one({"_id": id})
        return None if found is None else products.load(found)

    @claim("uses idx_category_price on products", "no sort", "no collection scan")
    @claim("examines at most 1 keys per result", "examines at most 1 documents per result")
    @example("electronics", category="electronics", low=100.0, high=200.0)
    @example("nothing", category="no such thing", low=0.0, high=1.0)
    def by_category_and_price(self, category: str, low: float, high: float) -> list[Product]:
        """Products of a category in a price range, the dearest first."""
        condition = {"category": category, "price": {"$gte": low, "$lte": high}}
        return [products.load(p) for p in self.db.products.find(condition).sort("price", DESCENDING)]

    @claim("uses idx_low_inventory on products", "no collection scan")
    @claim("examines at most 1 documents per result")
    @example()
    def low_stock(self) -> list[Product]:
        """Products of which fewer than ten are left."""
        return [products.load(p) for p in self.db.products.find({"inventory.quantity": {"$lt": 10}})]

    @claim("uses idx_text_search on products", "no collection scan")
    @claim("examines at most 1 documents per result")
    @example("a brand", text="brand0042")
    def search(self, text: str) -> list[Document]:
        """Products by words of name or brand, the best match first. Scores are computed, so this sorts."""
        score = {"score": {"$meta": "textScore"}}
        found = self.db.products.find({"$text": {"$search": text}}, {"name": 1, "metadata.brand": 1, **score})
        return list(found.sort(list(score.items())))

    @claim("uses idx_category_price on products covered", "no collection scan", "no sort")
    @example()
    def category_summary(self) -> list[Document]:
        """Products and average price of each category, by category.

        Only category and price are read, so the index answers alone; an inventory total could not be, since
        the index does not hold it.
        """
        pipeline: list[Document] = [
            {"$sort": {"category": 1, "price": -1}},
            {"$project": {"_id": 0, "category": 1, "price": 1}},
            {"$group": {"_id": "$category", "count": {"$sum": 1}, "averagePrice": {"$avg": "$price"}}},
        ]
        found = self.db.products.aggregate(pipeline, hint="idx_category_price")
        return sorted(found, key=lambda group: str(group["_id"]))

    @claim("uses idx_category_price on products", "examines at most 1 documents per result")
    @example("books", category="books")
    def projection_by_category(self, category: str) -> list[Document]:
        """Name, price and quantity only: less to send, though the documents are still read."""
        fields = {"_id": 0, "name": 1, "price": 1, "inventory.quantity": 1}
        return list(self.db.products.find({"category": category}, fields))

    @claim("uses idx_name on products", "examines at most 1 keys per result")
    @example("first", name="product 0000001")
    def by_name(self, name: str) -> list[Product]:
        """Products of exactly this name."""
        return [products.load(p) for p in self.db.products.find({"name": name})]

    @claim("uses idx_created_at on products", "no sort", "examines at most 1 documents per result")
    @example("twenty", limit=20)
    def recent(self, limit: int) -> list[Product]:
        """The newest products."""
        return [products.load(p) for p in self.db.products.find().sort("createdAt", DESCENDING).limit(limit)]

    def insert(self, product: Product) -> ObjectId:
        """Adds a product; the write path sets both timestamps."""
        return self.db.products.insert_one(products.dump(product)).inserted_id

    @claim("id lookup")
    @example("first", id=ObjectId("000000000000000000000001"), price=9.99)
    def reprice(self, id: ObjectId, price: float) -> int:
        """Sets a price and moves updatedAt; how many products that was."""
        return self.db.products.update_one({"_id": id}, products.touch({"$set": {"price": price}})).modified_count
