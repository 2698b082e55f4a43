"""Trees of decisions of a real MongoDB server: a dropped index, a $lookup, and both execution engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbtrust.engine.mongo.explain import explain
from dbtrust.judge.signature_mongo import mongo_lines

JOINED = [
    {"$match": {"x": 3}},
    {"$lookup": {"from": "b", "localField": "k", "foreignField": "k", "as": "found"}},
    {"$group": {"_id": "$x", "n": {"$sum": 1}}},
]


def tree(db: Any, pipeline: list[dict[str, Any]]) -> list[str]:
    return [
        line.text for line in mongo_lines(explain(db, {"aggregate": "a", "pipeline": pipeline, "cursor": {}}))
    ]


@contextmanager
def classic(db: Any) -> Iterator[None]:
    """Stages instead of slots."""
    name = "internalQueryForceClassicEngine"
    if name not in db.client.admin.command({"getParameter": "*"}):
        name = "internalQueryFrameworkControl"
    before = db.client.admin.command({"getParameter": 1, name: 1})[name]
    forced = True if isinstance(before, bool) else "forceClassicEngine"
    db.client.admin.command({"setParameter": 1, name: forced})
    try:
        yield
    finally:
        db.client.admin.command({"setParameter": 1, name: before})


def test_both_engines_and_a_dropped_index(mongo_db: Any) -> None:
    mongo_db.a.insert_many({"x": n % 50, "k": n} for n in range(500))
    mongo_db.b.insert_many({"k": n % 100} for n in range(500))
    mongo_db.a.create_index("x", name="by_x")
    mongo_db.b.create_index("k", name="by_k")
    slots = tree(mongo_db, JOINED)
    assert slots == [
        "aggregate a", "  GROUP", "    LOOKUP (IndexedLoopJoin) on b", "      FETCH", "        IXSCAN using by_x on a",
        '            Index: {"x": 1}', "            Bounds: x equal", "      IXSCAN using by_k on b",
    ]  # fmt: skip
    with classic(mongo_db):
        assert tree(mongo_db, JOINED) == slots
    assert tree(mongo_db, [{"$match": {"x": 4}}, *JOINED[1:]]) == slots, "another value"
    mongo_db.b.drop_index("by_k")
    without = tree(mongo_db, JOINED)
    assert without != slots and without[-1] == "      COLLSCAN on b"
    mongo_db.a.drop_index("by_x")
    assert "COLLSCAN on a" in "\n".join(tree(mongo_db, JOINED))
