"""migrate.populated and migrate.written on MongoDB: documents that were there, and those that new code writes."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from bson import ObjectId, json_util
from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.catalog import collections, indexes
from dbtrust.judge.mongo_breaking import breaking, put, starting_points
from dbtrust.judge.mongo_clauses import clauses
from dbtrust.judge.mongo_documents import documents

Document = dict[str, Any]
#: So many documents each collection gets, and so many are tried for one.
DOCUMENTS, _TRIES = 2, 40
#: Whole numbers of new documents begin here.
_FIRST_ID = 100_000_000


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was written after the up. `why` says what only the new state allows of it; "" of an ordinary one."""

    collection: str
    why: str
    document: Document

    @property
    def shown(self) -> str:
        return f"db.{self.collection}.insertOne({json_util.dumps(self.document)})"


def plain_collections(db: Any) -> dict[str, Mapping[str, Any]]:
    """Name -> options of the collections that take any document: no views, no time series, no capped ones."""
    found = (
        (info["name"], cast("Mapping[str, Any]", info.get("options", {})))
        for info in collections(db)
        if info.get("type") == "collection"
    )
    return {name: options for name, options in found if not options.get("capped")}


def fill(db: Any) -> None:
    """Two documents for each collection that has none, as its validator and unique indexes allow."""
    for name, options in plain_collections(db).items():
        if db[name].find_one({}, {"_id": 1}) is None:
            for document in islice(_valid(db, name, options), DOCUMENTS):
                _insert(db, name, document)


def _valid(db: Any, name: str, options: Mapping[str, Any]) -> Iterator[Document]:
    """Documents for the collection, each with values of its own where an index is unique."""
    validator = cast("Mapping[str, Any]", options.get("validator") or {})
    schema = validator.get("$jsonSchema")
    made = list(islice(documents(schema), _TRIES)) if schema else []
    made += starting_points(validator) if validator else []
    made.append({"name": "a name", "n": 1})
    keys = unique_fields(db, name)
    for number in range(DOCUMENTS * 2):
        for document in made:
            yield apart(document, keys, number + len(made) * number)


def unique_fields(db: Any, name: str) -> list[str]:
    return [field for spec in indexes(db, name) if spec.get("unique") for field in spec["key"]]


def apart(document: Document, keys: Sequence[str], number: int) -> Document:
    """The document with another value in each unique field, where that is a text or a number."""
    found = copy.deepcopy(document)
    found["_id"] = _id(document, number)
    for key in keys:
        path = tuple(key.split("."))
        value = _get(found, path)
        if isinstance(value, str) or value is None:
            found = put(found, path, f"{value or key} {number} {found['_id']}")
        elif isinstance(value, int) and not isinstance(value, bool):
            found = put(found, path, number)
    return found


def _id(document: Mapping[str, Any], number: int) -> Any:
    """A new _id of the type that the document has."""
    value = document.get("_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return type(value)(_FIRST_ID + number + int(str(ObjectId())[-6:], 16))
    return str(ObjectId()) if isinstance(value, str) else ObjectId()


def _get(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = document
    for step in path:
        value = cast("Mapping[str, Any]", value).get(step) if isinstance(value, Mapping) else None
    return value


def _insert(db: Any, name: str, document: Document) -> bool:
    try:
        db[name].insert_one(document)
    except PyMongoError:
        return False
    return True


def new_documents(
    db: Any, before: Mapping[str, Mapping[str, Any]], old_indexes: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Written]:
    """Writes an ordinary document into each collection and then those that the state before refuses; what came in.

    `before` and `old_indexes` are the collections' options and indexes before the up.
    """
    found: list[Written] = []
    for name, options in plain_collections(db).items():
        first = next((d for d in islice(_valid(db, name, options), _TRIES) if _insert(db, name, d)), None)
        if first is None:
            continue
        found.append(Written(name, "", first))
        if name in before:
            found += _refused_before(db, name, first, before[name], options)
            found += _twins(db, name, first, old_indexes.get(name, ()))
    return found


def _refused_before(
    db: Any, name: str, first: Document, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Written]:
    """For each clause of the old validator that the new one lacks, a document that breaks it alone."""
    was, now = (cast("Mapping[str, Any]", o.get("validator") or {}) for o in (old, new))
    if not was or (was == now and old.get("validationAction") == new.get("validationAction")):
        return
    strict = new.get("validationAction", "error") == "error"
    there = {(c.pointer, c.text, repr(c.element)) for c in (clauses(now) if strict else [])}
    keys, number = unique_fields(db, name), 100
    for clause in clauses(was):
        if (clause.pointer, clause.text, repr(clause.element)) in there:
            continue
        for document in breaking(was, clause, first)[:_TRIES]:
            number += 1
            document = apart(document, [key for key in keys if key != ".".join(clause.path)], number)
            if db[name].count_documents({"_id": first["_id"], **was}) and _insert(db, name, document):
                if db[name].count_documents({"$and": [{"_id": document["_id"]}, was]}):
                    db[name].delete_one({"_id": document["_id"]})
                    continue
                yield Written(name, f"a document that {clause.text} refused", document)
                break


def _twins(db: Any, name: str, first: Document, old: Sequence[Mapping[str, Any]]) -> Iterator[Written]:
    """A second document with the key of a unique index that is gone."""
    now = [spec["key"] for spec in indexes(db, name) if spec.get("unique")]
    for spec in old:
        if spec.get("unique") and spec["key"] not in now:
            twin = {**copy.deepcopy(first), "_id": _id(first, 1)}
            if _insert(db, name, twin):
                yield Written(name, f"a second document with the key of {spec['name']}, which is gone", twin)


def everything(db: Any, names: Sequence[str]) -> dict[str, dict[str, Document]]:
    """Collection -> its documents by the text of their _id."""
    return {name: {json_util.dumps(d["_id"]): d for d in db[name].find()} for name in names}


def lost(
    before: Mapping[str, Mapping[str, Document]], after: Mapping[str, Mapping[str, Document]]
) -> list[tuple[str, str]]:
    """(what a `lossy` line has to name, what happened) of each document that is gone or has other values."""
    found: list[tuple[str, str]] = []
    for name, there in before.items():
        for key, document in there.items():
            now = after.get(name, {}).get(key)
            if now is None:
                found.append((name, f"{name} lost the document {json_util.dumps(document)}"))
            elif json_util.dumps(now, sort_keys=True) != json_util.dumps(document, sort_keys=True):
                # A field that was there is told before one that has come.
                other = (f for f in document.keys() | now.keys() if document.get(f) != now.get(f))
                fields = sorted(other, key=lambda f: (f not in document, f))
                field = fields[0] if fields else "_id"
                said = f"{name} changed {key}: {field} was {document.get(field)!r} and is {now.get(field)!r}"
                found += [(f"{name}.{f}", said) for f in fields or [field]]
    return found


def excused(what: str, declared: Sequence[str]) -> str | None:
    """The line that names this field of a collection, a field above it, or the collection."""
    return next((line for line in declared if what == line or what.startswith(f"{line}.")), None)


def refused_now(db: Any, rows: Sequence[Written]) -> Written | None:
    """A document that is there and that its collection's validator would refuse on the next write."""
    options = plain_collections(db)
    for row in rows:
        mine = options.get(row.collection, {})
        validator = mine.get("validator")
        if (
            not validator
            or mine.get("validationAction", "error") != "error"
            or mine.get("validationLevel") == "moderate"
        ):
            continue
        there, kept = ({"_id": row.document["_id"]}, {"$and": [{"_id": row.document["_id"]}, validator]})
        if db[row.collection].count_documents(there) and not db[row.collection].count_documents(kept):
            return row
    return None
