"""Data changes in batches of _id ranges: each one idempotent, none longer than the server likes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import bson
from pymongo.database import Database

from dbtrust.model.errors import QueryFileError
from dbtrust.model.project_code import called
from dbtrust.model.steps import Update, UpdateInBatches

Document = Mapping[str, Any]
#: The most _ids that an undo holds (a document of the ledger holds 16 MB).
RECORDED_IDS, RECORDED_BYTES = 100_000, 8_000_000


def update_in_batches(db: Database[Any], step: UpdateInBatches) -> dict[str, Any]:
    """Updates what matches in the order of _id; the undo counts `documents`.

    With a bare update as `revert` the undo holds the `ids`: raises QueryFileError, before anything changes,
    where there are more than it can hold.
    """
    change = step.revert
    if change is None or callable(change) or isinstance(change, tuple):
        count = _update(db, step.collection, step.filter, step.update, step.size)
        return {"applied": True, "documents": count}
    ids = _recordable(db, step)
    count = _by_ids(db, step.collection, ids, step.filter, step.update, step.size, exact=True)
    return {"applied": True, "documents": count, "ids": ids}


def revert_update(db: Database[Any], step: UpdateInBatches, undo: Document) -> None:
    """Runs `revert`: a callable, a pair (filter, update), or an update of exactly the recorded documents."""
    change = step.revert
    if callable(change):
        called(change, db)
    elif isinstance(change, tuple):
        filter, update = cast("tuple[Document, Update]", change)
        _update(db, step.collection, filter, update, step.size)
    else:
        update = cast("Update", change)
        _by_ids(db, step.collection, undo["ids"], {}, update, step.size, exact=True)


def _recordable(db: Database[Any], step: UpdateInBatches) -> list[Any]:
    """The _ids that will change, read before anything does."""
    found = db[step.collection].find(step.filter, {"_id": 1}).sort("_id", 1).limit(RECORDED_IDS + 1)
    ids = [document["_id"] for document in found]
    if len(ids) > RECORDED_IDS or len(bson.encode({"ids": ids})) > RECORDED_BYTES:
        raise QueryFileError(
            f"{step.describe()}: more documents than an undo can remember ({RECORDED_IDS:,})",
            next="write revert=(filter, update), or a function that takes the database",
        )
    return ids


def _update(db: Database[Any], name: str, filter: Document, update: Update, size: int) -> int:
    found = db[name].find(filter, {"_id": 1}).sort("_id", 1).batch_size(size)
    return _by_ids(db, name, (document["_id"] for document in found), filter, update, size, exact=False)


def _by_ids(
    db: Database[Any],
    name: str,
    ids: Iterable[Any],
    filter: Document,
    update: Update,
    size: int,
    *,
    exact: bool,
) -> int:
    """One update for each batch, bounded by its first and last _id. How many documents matched."""
    return sum(
        db[name].update_many({"$and": [dict(filter), among]}, cast("Any", update)).matched_count
        for batch in _batches(ids, size)
        for among in _ranges(batch, exact=exact)
    )


def _batches(ids: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(ids)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _ranges(ids: list[Any], *, exact: bool) -> Iterator[dict[str, Any]]:
    """A comparison never leaves its BSON type, so a batch with _ids of several types is several ranges.

    `exact` also names each _id, so that nothing between them changes.
    """
    for _, group in itertools.groupby(ids, key=_bracket):
        members = list(group)
        bounds: dict[str, Any] = {"$gte": members[0], "$lte": members[-1]}
        yield {"_id": bounds | ({"$in": members} if exact else {})}


def _bracket(value: Any) -> str:
    """The types that compare with one another: all numbers do."""
    numeric = isinstance(value, (int, float, bson.Decimal128)) and not isinstance(value, bool)
    return "number" if numeric else type(value).__name__
