"""Copies a database on its server: options, validators, documents, then indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from dbtrust.engine.mongo.catalog import indexes

Document = Mapping[str, Any]
_BATCH = 5_000


def copy_database(
    client: MongoClient[Any], source: str, target: str, collections: Sequence[str] | None = None
) -> None:
    """Copies collections (None: all, the ledger included) and views of `source` into the empty `target`.

    Documents are copied by the server, without validation: an old document may break the validator of today.
    Raises PyMongoError.
    """
    old, new = client[source], client[target]
    wanted = [info for info in old.list_collections() if collections is None or info["name"] in collections]
    wanted = [info for info in wanted if not info["name"].startswith("system.")]
    for info in sorted(wanted, key=lambda info: info.get("type") == "view"):
        _copy(old, new, info)


def _copy(old: Database[Any], new: Database[Any], info: Document) -> None:
    name: str = info["name"]
    options: dict[str, Any] = dict(info.get("options", {}))
    new.command({"create": name, **options})
    if info.get("type") == "view":
        return
    if info.get("type") == "timeseries":
        _by_hand(old, new, name)
    else:
        _on_the_server(old, new, name, options)
    specs = [spec for spec in indexes(old, name) if spec["name"] != "_id_" and not spec.get("clustered")]
    missing = [spec for spec in specs if spec["name"] not in {known["name"] for known in indexes(new, name)}]
    if missing:
        new.command({"createIndexes": name, "indexes": [index_command(spec) for spec in missing]})


def _on_the_server(old: Database[Any], new: Database[Any], name: str, options: Document) -> None:
    """$out is half as fast again as $merge, and keeps the options of the collection that it replaces.

    It cannot replace a capped or a clustered one.
    """
    into = {"db": new.name, "coll": name}
    write: dict[str, Any] = {"$out": into}
    if options.get("capped") or "clusteredIndex" in options:
        write = {"$merge": {"into": into, "whenMatched": "fail", "whenNotMatched": "insert"}}
    old[name].aggregate([{"$match": {}}, write], bypassDocumentValidation=True, allowDiskUse=True)


def _by_hand(old: Database[Any], new: Database[Any], name: str) -> None:
    """$merge does not write to a time series, and $out does only from 7.0 on."""
    for batch in _batches(old[name].find(batch_size=_BATCH)):
        new[name].insert_many(batch, ordered=False)


def _batches(documents: Iterable[Any]) -> Iterable[list[Any]]:
    batch: list[Any] = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def index_command(spec: Document) -> dict[str, Any]:
    """A specification from listIndexes as createIndexes takes it.

    listIndexes leaves out the simple collation, and createIndexes then takes the collection's own.
    """
    bare = {key: value for key, value in spec.items() if key not in ("ns", "building", "background")}
    return {"collation": {"locale": "simple"}} | bare
