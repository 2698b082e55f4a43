"""Samples of documents, summarised on the server: field names, types and sizes are sent, values never."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pymongo.errors import ConnectionFailure, OperationFailure

from dbtrust.engine.mongo.monitor_ask import UNAUTHORIZED, Asker, Rows, number, sample_options

Document = Mapping[str, Any]
#: The largest collections are sampled, so many at most; and none below so many documents.
MOST, FEWEST = 200, 50
#: Fields of a document that are looked at, and names that are kept of a collection.
_FIELDS, _NAMES = 150, 500
#: $sample reads at random where it takes less than a twentieth of a collection, and else scans it.
_RANDOM = 40


def skeleton(value: str, depth: int = 1) -> dict[str, Any]:
    """An expression: the fields of the document `value` with their types, lengths of arrays, fields within."""
    each: dict[str, Any] = {
        "k": "$$f.k",
        "t": {"$type": "$$f.v"},
        "n": {"$cond": [{"$isArray": "$$f.v"}, {"$size": "$$f.v"}, 0]},
    }
    if depth:
        within = skeleton("$$f.v", depth - 1)
        each["f"] = {"$cond": [{"$eq": [{"$type": "$$f.v"}, "object"]}, within, []]}
    fields = {"$slice": [{"$objectToArray": value}, _FIELDS]}
    return {"$map": {"input": fields, "as": "f", "in": each}}


SKELETON: dict[str, Any] = {
    "$project": {"_id": 0, "bytes": {"$bsonSize": "$$ROOT"}, "fields": skeleton("$$ROOT")}
}


def sources(documents: int, size: int) -> list[list[dict[str, Any]]]:
    """Pipelines that together give about `size` documents and scan no collection of any length."""
    if documents >= size * _RANDOM:
        return [[{"$sample": {"size": size}}]]
    if documents <= size:
        return [[{"$sort": {"_id": 1}}, {"$limit": size}]]
    half = max(1, size // 2)
    return [[{"$sort": {"_id": way}}, {"$limit": half}] for way in (1, -1)]


def read_samples(ask: Asker, collections: Sequence[Document], size: int) -> Rows:
    """One row for each sampled collection: {sampled, max_bytes, fields: [{path, present, types, longest}]}."""
    rows: Rows = []
    for row in sampled(collections):
        found = _Summary()
        try:
            for source in sources(int(row["documents"]), size):
                for document in _asked(ask, row, [*source, SKELETON]):
                    found.add(document)
        except ConnectionFailure:
            raise
        except OperationFailure as error:
            if error.code == UNAUTHORIZED:
                raise
            ask.notes.add(f"samples of {row['label']}", "documents that can be read within the time")
            continue
        rows.append(_name(row) | found.row())
    if (left := len(sampleable(collections)) - MOST) > 0:
        ask.notes.add(f"samples of {left} smaller collections", "a run for one database (--database NAME)")
    return rows


def sampleable(collections: Sequence[Document]) -> list[Document]:
    """Plain collections that hold enough documents to say something."""
    return [r for r in collections if r["type"] == "collection" and (r.get("documents") or 0) >= FEWEST]


def sampled(collections: Sequence[Document]) -> list[Document]:
    """Those that are sampled: the largest."""
    return sorted(sampleable(collections), key=lambda r: (-r["documents"], r["label"]))[:MOST]


def read_violations(ask: Asker, collections: Sequence[Document], size: int) -> Rows:
    """For each validated collection, how many documents of a sample its validator would refuse."""
    rows: Rows = []
    for row in (r for r in sampled(collections) if r.get("validated")):
        validator = _validator(ask, row)
        if validator is None:
            continue
        refused = [{"$match": {"$nor": [validator]}}, {"$count": "n"}]
        pipelines = [[*source, *refused] for source in sources(int(row["documents"]), size)]
        counts = [number(d["n"]) or 0 for p in pipelines for d in _asked(ask, row, p)]
        rows.append(_name(row) | {"sampled": min(size, int(row["documents"])), "refused": sum(counts)})
    return rows


def _validator(ask: Asker, row: Document) -> Document | None:
    """Asked again, since a snapshot keeps no validators: they can be long."""
    asked = {"listCollections": 1, "filter": {"name": row["collection"]}, "cursor": {}}
    found = ask.command(row["database"], asked)["cursor"]["firstBatch"]
    return found[0].get("options", {}).get("validator") if found else None


def _asked(ask: Asker, row: Document, pipeline: Sequence[Document]) -> Iterator[dict[str, Any]]:
    return ask.rows(row["database"], row["collection"], pipeline, **sample_options())


def _name(row: Document) -> dict[str, Any]:
    return {key: row[key] for key in ("database", "collection", "label", "documents")}


class _Summary:
    """What a sample says of a collection's fields."""

    def __init__(self) -> None:
        self._count = 0
        self._bytes: list[int] = []
        self._fields: dict[str, dict[str, Any]] = {}

    def add(self, document: Document) -> None:
        self._count += 1
        self._bytes.append(int(document["bytes"]))
        self._walk("", cast("Sequence[Document]", document["fields"] or []))

    def _walk(self, above: str, fields: Sequence[Document]) -> None:
        for item in fields:
            path = f"{above}{item['k']}"
            field = self._fields.get(path)
            if field is None:
                if len(self._fields) >= _NAMES:
                    continue
                field = self._fields[path] = {"path": path, "present": 0, "types": {}, "longest": 0}
            field["present"] += 1
            field["types"][item["t"]] = field["types"].get(item["t"], 0) + 1
            field["longest"] = max(field["longest"], int(item["n"]))
            self._walk(f"{path}.", cast("Sequence[Document]", item.get("f") or []))

    def row(self) -> dict[str, Any]:
        mean = sum(self._bytes) / self._count if self._count else 0
        return {
            "sampled": self._count,
            "max_bytes": max(self._bytes, default=0),
            "mean_bytes": round(mean),
            "fields": [self._fields[path] for path in sorted(self._fields)],
        }
