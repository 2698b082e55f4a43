# @CODE:DB-002:DATA | Products of twenty categories and a hundred brands over three years; the same for the same seed
# SPEC: SPEC-DB-002.md | TEST: tests/test_products.py
"""Generates products: `rows(n, now, seed)`."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

CATEGORIES = ["electronics", "books", "garden", "toys", "music", *(f"category{n:02}" for n in range(15))]
BRANDS = [f"brand{n:04}" for n in range(100)]
WAREHOUSES = ["north", "south", "east", "west"]
TAGS = [["new"], ["sale"], ["new", "featured"], []]
THREE_YEARS = timedelta(days=3 * 365)


def rows(n: int, now: datetime, seed: int) -> Iterator[Mapping[str, Any]]:
    """n products with _id 1, 2, 3 … as ObjectId, the newest last; one in fifty is nearly sold out."""
    dice = random.Random(seed).random
    step = THREE_YEARS / max(1, n)
    for number in range(1, n + 1):
        draw = dice()
        created = now - THREE_YEARS + step * (number - 0.5)
        created = created.replace(microsecond=created.microsecond // 1000 * 1000)
        yield {
            "_id": ObjectId(f"{number:024x}"),
            "name": f"product {number:07}",
            "category": CATEGORIES[int(draw * 20)],
            "price": round(dice() * 1000, 2),
            "tags": TAGS[number % 4],
            "metadata": {"brand": BRANDS[int(draw * 7919) % 100], "model": f"m{number % 977}", "year": 2000 + number % 27},
            "inventory": {
                "quantity": number % 10 if draw * 104729 % 1 < 0.02 else 10 + number % 490,
                "warehouse": WAREHOUSES[number % 4],
            },
            "createdAt": created,
            "updatedAt": created,
        }
