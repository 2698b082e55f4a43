"""Which documents a rule would refuse, asked of a live collection with a limit on time and number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pymongo.errors
from pymongo.database import Database

from dbtrust.engine.mongo import shell
from dbtrust.engine.mongo.errors import describe

#: Seconds that one question may take, and how many it counts before it stops.
MILLISECONDS, AT_MOST = 10_000, 10_000
_SAMPLE = 5
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violations:
    """`count` documents (or keys), or at least that many where `more`; None: not counted, `why` tells the reason.

    `sample` are values as mongosh writes them: an _id each, or the key that is there twice.
    """

    count: int | None
    more: bool = False
    sample: tuple[str, ...] = ()
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {"count": self.count, "more": self.more, "sample": list(self.sample), "why": self.why}


def violators(db: Database[Any], collection: str, validator: Document) -> Violations:
    """Documents that a validator would refuse; for any match expression, $jsonSchema among it."""
    match = {"$match": {"$nor": [validator]}}
    return _ask(db, collection, [match, {"$limit": AT_MOST + 1}, {"$project": {"_id": 1}}], {})


def duplicates(db: Database[Any], collection: str, spec: Document) -> Violations:
    """Keys that more than one document has, as a unique index of that specification would see them.

    An array counts as one value, while an index takes each of its elements: duplicates between arrays are not seen.
    """
    names = list(spec["key"])
    if any(not isinstance(direction, int | float) for direction in spec["key"].values()):
        return Violations(None, why="such an index is not told by values")
    match: list[Document] = []
    if "partialFilterExpression" in spec:
        match.append({"$match": spec["partialFilterExpression"]})
    if spec.get("sparse"):
        match.append({"$match": {"$or": [{name: {"$exists": True}} for name in names]}})
    key = {f"k{number}": {"$ifNull": [f"${name}", None]} for number, name in enumerate(names)}
    grouped = {"$group": {"_id": key, "n": {"$sum": 1}}}
    pipeline = [
        *match,
        grouped,
        {"$match": {"n": {"$gt": 1}}},
        {"$limit": AT_MOST + 1},
        {"$project": {"_id": 1}},
    ]
    options = {"collation": spec["collation"]} if "collation" in spec else {}
    return _ask(db, collection, pipeline, options)


def _ask(db: Database[Any], collection: str, pipeline: Sequence[Document], options: Document) -> Violations:
    count, sample = 0, list[str]()
    try:
        cursor = db[collection].aggregate(
            list(pipeline), maxTimeMS=MILLISECONDS, allowDiskUse=False, **_collation(options)
        )
        for document in cursor:
            count += 1
            if len(sample) < _SAMPLE:
                sample.append(shell.value(document["_id"]))
    except pymongo.errors.OperationFailure as error:
        return Violations(None, why=describe(error))
    return Violations(min(count, AT_MOST), count > AT_MOST, tuple(sample))


def _collation(options: Document) -> dict[str, Any]:
    """Without the library's version, which the server refuses from a client of another one."""
    if "collation" not in options:
        return {}
    return {"collation": {key: value for key, value in options["collation"].items() if key != "version"}}
