"""Joins ($lookup, $graphLookup) of slow operations: which collection and field they look up, and whether by an index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rules.mongo._common import FEW_DOCUMENTS, documents, fields
from dbtrust.monitor.rules.mongo._slow import each, stages

_FIELDS = {"$lookup": "foreignField", "$graphLookup": "connectToField"}


@dataclass(frozen=True, slots=True)
class Join:
    """The collection that is looked up, in the same database, and the field whose values are."""

    database: str
    collection: str
    field: str
    #: The server counts no documents that a $graphLookup examines.
    counted: bool


def joins(row: Row) -> Iterator[Join]:
    """Those of a pipeline's own stages that compare a field."""
    for name, value in stages(row):
        if name in _FIELDS and isinstance(value, dict):
            parts = cast("dict[str, Any]", value)
            collection, field = parts.get("from"), parts.get(_FIELDS[name])
            if isinstance(collection, str) and isinstance(field, str):
                yield Join(row["database"], collection, field, name == "$lookup")


def label(now: Snapshot, join: Join) -> str | None:
    """How its collection is called, where its indexes are known."""
    return next((str(row["label"]) for row in _indexes(now, join)), None)


def unserved(now: Snapshot, row: Row) -> Iterator[Join]:
    """The joins of large collections that no index serves; where documents are counted, as many as it has, or more."""
    counts = documents(now)
    for join in joins(row):
        count = counts.get((join.database, join.collection), 0)
        enough = count >= FEW_DOCUMENTS and (not join.counted or each(row, "documents") >= count)
        if enough and label(now, join) and not _served(now, join):
            yield join


def _indexes(now: Snapshot, join: Join) -> Iterator[Row]:
    place = (join.database, join.collection)
    return (r for r in now.sections.get("indexes", ()) if (r["database"], r["collection"]) == place)


def _served(now: Snapshot, join: Join) -> bool:
    """Is there an index that begins with the field, or that has every field?"""
    first = {fields(row["definition"])[0] for row in _indexes(now, join) if not row["hidden"]}
    return join.field in first or any(name.endswith("$**") for name in first)
