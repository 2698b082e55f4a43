"""Collections and their indexes as monitoring sees them: sizes, latencies, scans, use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure

from dbtrust.engine.mongo.catalog import collection_definition, index_definition, indexes
from dbtrust.engine.mongo.catalog import collections as listed
from dbtrust.engine.mongo.monitor_ask import UNAUTHORIZED, Asker, Rows, inside, iso, number, picked
from dbtrust.engine.mongo.shapes import cut
from dbtrust.model.units import size

Document = Mapping[str, Any]
Pipeline = Callable[[str], Sequence[Document]]
#: Databases of the server itself.
SYSTEM = frozenset({"admin", "config", "local"})
#: So many collections are asked about at once: a pipeline holds 1,000 stages at most.
BATCH = 100
_THREADS = 4
#: What the server knows of a collection without opening its files.
COUNTERS: list[dict[str, Any]] = [
    {"$collStats": {"count": {}, "latencyStats": {}, "queryExecStats": {}}},
    {
        "$project": {
            "ns": 1, "count": 1, "latencyStats.reads.ops": 1, "latencyStats.reads.latency": 1,
            "latencyStats.writes.ops": 1, "latencyStats.writes.latency": 1,
            "queryExecStats.collectionScans.nonTailable": 1,
        }
    },
]  # fmt: skip
#: Sizes cost much: the server opens the files of a collection that was idle for ten minutes, and of each index.
SIZES: list[dict[str, Any]] = [
    {"$collStats": {"storageStats": {}}},
    {
        "$project": {
            "ns": 1, "storageStats.size": 1, "storageStats.storageSize": 1, "storageStats.freeStorageSize": 1,
            "storageStats.totalIndexSize": 1, "storageStats.indexSizes": 1,
            "storageStats.wiredTiger.cache.bytes currently in the cache": 1,
        }
    },
]  # fmt: skip
#: So many collections are measured in any case, and at most; after the first ones only for so many seconds, and
#: only while the files of the others together hold so many bytes: less is worth no advice.
FIRST, MEASURED, SECONDS, MATTERS = 100, 500, 1.0, 16 << 20
#: So many of them in one command: each command is bounded in time.
_AT_ONCE = 25
_COUNTED = {
    "documents": "count", "reads": "latencyStats/reads/ops", "read_us": "latencyStats/reads/latency",
    "writes": "latencyStats/writes/ops", "write_us": "latencyStats/writes/latency",
    "collection_scans": "queryExecStats/collectionScans/nonTailable",
}  # fmt: skip
_TOTALS = {
    "collections": "collections", "documents": "objects", "bytes": "dataSize", "storage_bytes": "storageSize",
    "index_bytes": "indexSize",
}  # fmt: skip
_SIZES = {
    "bytes": "storageStats/size", "storage_bytes": "storageStats/storageSize",
    "free_bytes": "storageStats/freeStorageSize", "index_bytes": "storageStats/totalIndexSize",
    "cached_bytes": "storageStats/wiredTiger/cache/bytes currently in the cache",
}  # fmt: skip


def use_of(collection: str) -> list[dict[str, Any]]:
    """$indexStats of one collection, each document saying which: its own fields do not."""
    return [{"$indexStats": {}}, {"$addFields": {"collection": {"$literal": collection}}}]


def counters_of(_: str) -> list[dict[str, Any]]:
    """The counters of one collection; `ns` says which."""
    return COUNTERS


def sizes_of(_: str) -> list[dict[str, Any]]:
    """The sizes of one collection; `ns` says which."""
    return SIZES


def user_databases(ask: Asker, wanted: str) -> list[str]:
    """`wanted`, or all that are not the server's own."""
    if wanted:
        return [wanted]
    found = ask.command("admin", {"listDatabases": 1, "nameOnly": True})["databases"]
    return sorted(str(d["name"]) for d in found if d["name"] not in SYSTEM)


class Names:
    """How an object is called: without its database where only one is looked at."""

    def __init__(self, single: bool) -> None:
        self._single = single

    def of(self, database: str, collection: str) -> str:
        return collection if self._single else f"{database}.{collection}"


def read_collections(ask: Asker, databases: Iterable[str], names: Names) -> Rows:
    """One row for each collection, time series and view; sizes and counters are still absent."""
    rows: Rows = []
    for database in databases:
        for info in ask.collections(database):
            name = str(info["name"])
            if not name.startswith("system."):
                rows.append(_collection(database, name, info, names))
    return sorted(rows, key=lambda row: (row["database"], row["collection"]))


def _collection(database: str, name: str, info: Document, names: Names) -> dict[str, Any]:
    options = cast("Document", info.get("options") or {})
    row: dict[str, Any] = {
        "database": database,
        "collection": name,
        "label": names.of(database, name),
        "type": info.get("type", "collection"),
    }
    if row["type"] == "collection":
        row |= {
            "capped": bool(options.get("capped")),
            "validated": bool(options.get("validator")),
            "validation_level": options.get("validationLevel", "strict"),
            "validation_action": options.get("validationAction", "error"),
            "types": _declared(options),
            "definition": {k: cut(v) if isinstance(v, str) else v for k, v in _definition(info).items()},
        }
    return row


def _definition(info: Document) -> dict[str, Any]:
    """What a report may show of the options: not the validator, which can be long."""
    whole = collection_definition(info)
    return {key: value for key, value in whole.items() if not key.startswith("validator")}


def _declared(options: Document) -> dict[str, list[str]]:
    """Field -> BSON types, as the first level of the validator's $jsonSchema declares them."""
    properties = inside(options, "validator/$jsonSchema/properties")
    if not isinstance(properties, Mapping):
        return {}
    found: dict[str, list[str]] = {}
    for name, schema in cast("Document", properties).items():
        kinds = inside(schema, "bsonType")
        if kinds:
            found[str(name)] = [kinds] if isinstance(kinds, str) else [str(kind) for kind in kinds]
    return found


def read_declared(db: Database[Any]) -> tuple[Rows, Rows]:
    """(collections, indexes) of one database by their definitions alone: no counter, and no right but to list."""
    rows = [_collection(db.name, info["name"], info, Names(single=True)) for info in listed(db)]
    plain = [row for row in rows if row["type"] == "collection"]
    specs = [(row, spec) for row in plain for spec in indexes(db, row["collection"])]
    found = [
        _named(row, str(spec["name"]))
        | _index({"name": spec["name"], "spec": spec, "building": spec.get("building")}, row)
        for row, spec in specs
    ]
    return rows, _sorted(found)


def read_totals(ask: Asker, databases: Iterable[str]) -> Rows:
    """What all collections of a database hold together: the server looks at its files and opens none."""
    return [{"database": name, **picked(ask.command(name, {"dbStats": 1}), _TOTALS)} for name in databases]


def with_statistics(ask: Asker, rows: Rows, totals: Sequence[Document]) -> Rows:
    """The rows with counters, and sizes of `MEASURED` (None: not measured); one that went away is left out.

    `totals` are those of `read_totals`; empty where they could not be read.
    """
    counted = _gathered_numbers(ask, rows, counters_of, _COUNTED)
    plain = [row | counted[_key(row)] for row in rows if _key(row) in counted]
    stored = sum(row["storage_bytes"] or 0 for row in totals) if totals else None
    sizes = _sizes(ask, leading(plain), stored)
    if (left := len(plain) - len(sizes)) > 0:
        held = "" if stored is None else f", whose files hold {size(_rest(stored, sizes))} in all"
        ask.notes.add(f"the sizes of {left:,} smaller collections{held}", _FEWER)
    unknown: dict[str, Any] = {**dict.fromkeys(_SIZES), "index_sizes": {}}
    others = [row for row in rows if row["type"] != "collection"]
    return sorted(others + [row | sizes.get(_key(row), unknown) for row in plain], key=_key)


_FEWER = (
    f"fewer collections at a time (--database NAME): {FIRST} are measured, and up to {MEASURED} within {SECONDS:g} "
    "s while the others hold much, those with the most documents and those with the most reads and writes"
)


def _rest(stored: float, sizes: Mapping[tuple[str, str], Document]) -> float:
    """The bytes in files of the collections that were not measured."""
    return max(0, stored - sum(row["storage_bytes"] or 0 for row in sizes.values()))


def _sizes(ask: Asker, rows: Rows, stored: float | None) -> dict[tuple[str, str], dict[str, Any]]:
    """The sizes of the first of these, and of more while there is time and the others hold what matters."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    until = time.monotonic() + SECONDS
    for start in range(0, min(len(rows), MEASURED), FIRST):
        little = stored is not None and _rest(stored, found) < MATTERS
        if start and (little or time.monotonic() >= until):
            break
        found |= _gathered_numbers(
            ask, rows[start : min(start + FIRST, MEASURED)], sizes_of, _SIZES, _AT_ONCE
        )
    return found


def leading(rows: Rows) -> Rows:
    """In turns the one with the most documents and the one with the most use, of those that are left."""
    by_documents = sorted(rows, key=lambda row: row["documents"] or 0, reverse=True)
    by_use = sorted(rows, key=_uses, reverse=True)
    both = (row for pair in zip(by_documents, by_use, strict=True) for row in pair)
    return list({_key(row): row for row in both}.values())


def _uses(row: Document) -> float:
    return (row["reads"] or 0) + (row["writes"] or 0)


def _gathered_numbers(
    ask: Asker, rows: Rows, pipeline: Pipeline, paths: Mapping[str, str], at_once: int = BATCH
) -> dict[tuple[str, str], dict[str, Any]]:
    """(database, collection) -> the numbers at `paths`, and index_sizes where the documents have them."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for database, document in gathered(ask, rows, pipeline, at_once):
        key = (database, str(document["ns"]).partition(".")[2])
        values: dict[str, Any] = picked(document, paths)
        if "storageStats" in document:
            sizes = cast("Document", inside(document, "storageStats/indexSizes") or {})
            values["index_sizes"] = {index: number(size) for index, size in sizes.items()}
        found[key] = _summed(found[key], values) if key in found else values
    return found


def _key(row: Document) -> tuple[str, str]:
    return row["database"], row["collection"]


def _summed(first: Document, second: Document) -> dict[str, Any]:
    """A sharded collection has a document for each shard."""
    whole: dict[str, Any] = {}
    for key, value in first.items():
        other = second[key]
        if isinstance(value, Mapping):
            one, two = cast("Document", value), cast("Document", other)
            whole[key] = {n: (one.get(n) or 0) + (two.get(n) or 0) for n in {**one, **two}}
        else:
            whole[key] = None if value is None and other is None else (value or 0) + (other or 0)
    return whole


def gathered(
    ask: Asker, rows: Iterable[Document], pipeline: Pipeline, at_once: int = BATCH
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(database, document) of a pipeline over every plain collection, many of them in one command."""
    batches = list(_batches([row for row in rows if row["type"] == "collection"], at_once))
    with ThreadPoolExecutor(_THREADS) as pool:
        for database, documents in pool.map(partial(_batch, ask, pipeline), batches):
            yield from ((database, document) for document in documents)


def _batches(rows: Sequence[Document], at_once: int) -> Iterator[tuple[str, list[str]]]:
    by_database: dict[str, list[str]] = {}
    for row in rows:
        by_database.setdefault(row["database"], []).append(row["collection"])
    for database, names in by_database.items():
        for start in range(0, len(names), at_once):
            yield database, names[start : start + at_once]


def _batch(ask: Asker, pipeline: Pipeline, asked: tuple[str, list[str]]) -> tuple[str, Rows]:
    """One command; where that is refused (one was dropped meanwhile) or too long, one for each collection."""
    database, names = asked
    union = [{"$unionWith": {"coll": name, "pipeline": list(pipeline(name))}} for name in names[1:]]
    try:
        if (whole := ask.at_once(database, names[0], [*pipeline(names[0]), *union])) is not None:
            return database, whole
    except OperationFailure as error:
        if error.code == UNAUTHORIZED:
            raise
    found: Rows = []
    for name in names:
        try:
            found += ask.rows(database, name, pipeline(name))
        except ConnectionFailure:
            raise
        except OperationFailure as error:
            if error.code == UNAUTHORIZED:
                raise
    return database, found


def read_indexes(ask: Asker, rows: Rows, member: str) -> tuple[Rows, Rows]:
    """(indexes with their definitions, their use on this member) of every plain collection."""
    found: Rows = []
    use: Rows = []
    labels = {_key(row): row for row in rows}
    for database, document in gathered(ask, rows, use_of):
        owner = labels[database, document["collection"]]
        base = _named(owner, str(document["name"]))
        use.append(base | _use(document, member))
        found.append(base | _index(document, owner))
    return _sorted(found), _sorted(use)


def _named(owner: Document, index: str) -> dict[str, Any]:
    return {**{key: owner[key] for key in ("database", "collection", "label")}, "index": index}


def _sorted(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: (row["database"], row["collection"], row["index"]))


def _use(document: Document, member: str) -> dict[str, Any]:
    return {
        "member": member,
        "ops": number(inside(document, "accesses/ops")),
        "since": iso(inside(document, "accesses/since")),
        "building": bool(document.get("building")),
    }


def _index(document: Document, owner: Document) -> dict[str, Any]:
    spec = dict(cast("Document", document.get("spec") or {"key": document["key"]}))
    definition = index_definition(spec)
    if document.get("building"):
        definition["building"] = True
    sizes = cast("Document", owner.get("index_sizes") or {})
    return {
        "definition": definition,
        "bytes": sizes.get(str(document["name"])),
        "building": bool(document.get("building")),
        "hidden": bool(definition.get("hidden")),
        "unique": bool(definition.get("unique") or definition.get("prepareUnique")),
        "ttl_seconds": definition.get("expireAfterSeconds"),
    }
