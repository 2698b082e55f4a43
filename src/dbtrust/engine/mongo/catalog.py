"""What a MongoDB database holds, in a form in which equal things are equal.

The server keeps specifications as they were sent, so the same index may hold 1, 1.0 or NumberLong(1), and an
option that was left out or sent with its default. `definition` is flat: `collation.locale`,
`validator.$jsonSchema.required`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from bson import json_util
from bson.decimal128 import Decimal128
from pymongo.database import Database
from pymongo.errors import OperationFailure

from dbtrust.engine.mongo.errors import describe

if TYPE_CHECKING:
    from dbtrust.model.catalog import Catalog

LEDGER = "dbtrust_migration"
NO_SUCH_COLLECTION, UNAUTHORIZED = 26, 13
#: Options whose false is the same as their absence.
_FLAGS = frozenset({
    "unique", "sparse", "hidden", "prepareUnique", "capped", "clustered", "autoIndexId",
})  # fmt: skip
#: Versions every supported server writes by itself, and what it no longer reads (`background`, `ns`).
_IMPLIED: Mapping[str, Any] = {"v": 2, "textIndexVersion": 3, "2dsphereIndexVersion": 3}
_IGNORED = frozenset({"name", "key", "ns", "background"})
#: Keywords of $jsonSchema whose lists are sets.
_SETS = frozenset({"required", "enum", "bsonType", "type"})
Document = Mapping[str, Any]


def snapshot(db: Database[Any]) -> Catalog:
    """Collections, views, time series and indexes of `db`, without system.* and dbtrust's ledger.

    An index whose build has not ended carries `building`: listIndexes shows it as if it were complete.
    """
    return catalog_of(specifications(db))


def empty_of(db: Database[Any], names: Iterable[str]) -> frozenset[str]:
    """Those of the collections that hold no document, as the server counts them without reading one."""
    return frozenset(name for name in names if _count(db, name) == 0)


def _count(db: Database[Any], name: str) -> int | None:
    """None where the server does not tell: a view whose pipeline fails."""
    try:
        return db[name].estimated_document_count()
    except OperationFailure:
        return None


@dataclass(frozen=True, slots=True)
class Specification:
    """A collection or view as the server keeps it: listCollections' document and listIndexes' documents."""

    info: Document
    indexes: tuple[Document, ...] = ()
    #: What the server said where the indexes may not be listed.
    refused: str = ""


def specifications(db: Database[Any], *, lenient: bool = False) -> dict[str, Specification]:
    """Name -> specification of what `snapshot` tells. Raises OperationFailure where the server refuses.

    `lenient`: indexes that the role may not list are kept as `refused`.
    """
    return {info["name"]: _specification(db, info, lenient) for info in collections(db)}


def _specification(db: Database[Any], info: Document, lenient: bool) -> Specification:
    if info.get("type", "collection") == "view":
        return Specification(info)
    try:
        return Specification(info, tuple(indexes(db, info["name"])))
    except OperationFailure as error:
        if not lenient or error.code != UNAUTHORIZED:
            raise
        return Specification(info, refused=describe(error))


def catalog_of(found: Mapping[str, Specification]) -> Catalog:
    """The specifications in a form in which equal things are equal."""
    # A runner of migrations works with indexes alone.
    from dbtrust.model.catalog import Catalog, CatalogObject

    objects: list[CatalogObject] = []
    for name, item in found.items():
        objects.append(CatalogObject("collection", name, collection_definition(item.info)))
        objects += [
            CatalogObject("index", f"{name}.{spec['name']}", index_definition(spec)) for spec in item.indexes
        ]
    return Catalog("mongo", tuple(sorted(objects, key=lambda o: (o.kind, o.name))))


def collections(db: Database[Any]) -> list[Document]:
    """listCollections' documents of what the user made, by name."""
    found: list[Document] = [info for info in db.list_collections() if not _private(info["name"])]
    return sorted(found, key=lambda info: info["name"])


def collection_names(db: Database[Any]) -> list[str]:
    """The names of the same, which costs the server and the driver a fraction."""
    return [name for name in db.list_collection_names() if not _private(name)]


def _private(name: str) -> bool:
    return name.startswith("system.") or name == LEDGER


def indexes(db: Database[Any], collection: str) -> list[dict[str, Any]]:
    """Full specifications; one whose build has not ended has `building`. No collection: an empty list."""
    # includeBuildUUIDs is what tells an unfinished build; 64 indexes at most, so one batch holds them all.
    command = {"listIndexes": collection, "includeBuildUUIDs": True, "cursor": {"batchSize": 1000}}
    try:
        batch = cast("list[dict[str, Any]]", db.command(command)["cursor"]["firstBatch"])
    except OperationFailure as error:
        if error.code == NO_SUCH_COLLECTION:
            return []
        raise
    return [{**entry["spec"], "building": True} if "buildUUID" in entry else entry for entry in batch]


def collection_definition(info: Document) -> dict[str, Any]:
    """`info` as listCollections gives it; level and action are always there, if only as defaults."""
    options = dict(cast("Document", info.get("options", {})))
    definition: dict[str, Any] = {"type": info.get("type", "collection")}
    if definition["type"] == "collection":
        definition["validationLevel"] = options.pop("validationLevel", "strict")
        definition["validationAction"] = options.pop("validationAction", "error")
    definition |= _validator(options.pop("validator", None))
    if "pipeline" in options:
        # The order of keys matters in $sort and in literals: stages are text that keeps it.
        definition["pipeline"] = [_text(stage) for stage in options.pop("pipeline")]
    if options.get("changeStreamPreAndPostImages") == {"enabled": False}:
        del options["changeStreamPreAndPostImages"]
    return definition | _options(options)


def index_definition(spec: Document) -> dict[str, Any]:
    """`spec` as listIndexes gives it. `key` is a list of [field, direction]: its order counts."""
    key = cast("Document", spec["key"])
    definition: dict[str, Any] = {"key": [[name, _number(direction)] for name, direction in key.items()]}
    options = {name: value for name, value in spec.items() if name not in _IGNORED}
    definition |= dict(_expression(options.pop("partialFilterExpression", None), "partialFilterExpression"))
    projection = cast("Document", options.pop("wildcardProjection", {}))
    definition |= {f"wildcardProjection.{path}": _number(value) for path, value in projection.items()}
    return definition | _options(options)


def as_asked(spec: Document) -> Document:
    """`spec` with the keys that createIndexes takes: the server keeps a text index under _fts, its fields in weights.

    It keeps no order of these fields, so they are sorted, also in a specification that was never sent.
    """
    key = cast("Document", spec["key"])
    texts = {name for name, direction in key.items() if direction == "text" and name != "_fts"}
    if not texts and "_fts" not in key:
        return spec
    asked: dict[str, Any] = {}
    for name, direction in key.items():
        if direction == "text":
            asked |= dict.fromkeys(sorted(texts | set(spec.get("weights") or {})), "text")
        elif name != "_ftsx":
            asked[name] = direction
    return {**spec, "key": asked}


def _options(options: Document) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if name in _FLAGS:
            flat |= {name: True} if value else {}
        elif name not in _IMPLIED or _number(value) != _IMPLIED[name]:
            flat.update(_flatten(value, name))
    # The library version that wrote a collation is the server's, not the user's.
    return {name: value for name, value in flat.items() if name != "collation.version"}


def _validator(validator: Document | None) -> dict[str, Any]:
    if not validator:
        return {}
    schema = validator.get("$jsonSchema")
    rest = {name: value for name, value in validator.items() if name != "$jsonSchema"}
    flat = dict(_expression(rest, "validator")) if rest else {}
    return flat | (dict(_flatten(schema, "validator.$jsonSchema")) if "$jsonSchema" in validator else {})


def _flatten(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Leaves under dotted paths; an empty mapping is a leaf, lists of schemas are numbered."""
    if isinstance(value, Mapping) and value:
        for name, inner in cast("Document", value).items():
            yield from _flatten(inner, f"{path}.{name}")
    elif _list(value) and path.rpartition(".")[2] in _SETS:
        yield path, sorted((_leaf(item) for item in value), key=str)
    elif _list(value) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value):
            yield from _flatten(item, f"{path}.{number}")
    else:
        yield path, [_leaf(item) for item in value] if _list(value) else _leaf(value)


def _expression(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """A match expression. Operators commute; a document compared with is a literal, whose order counts."""
    if value is None:
        return
    document = cast("Document", value)
    if not document:
        yield path, "{}"
    for name, inner in document.items():
        below = f"{path}.{name}"
        if name in ("$and", "$or", "$nor") and _list(inner):
            for number, clause in enumerate(inner):
                yield from _expression(clause, f"{below}.{number}")
        elif name == "$jsonSchema":
            yield from _flatten(inner, below)
        elif isinstance(inner, Mapping) and name != "$expr" and _operators(cast("Document", inner)):
            yield from _expression(inner, below)
        else:
            yield below, _leaf(inner)


def _operators(value: Document) -> bool:
    return next(iter(value), "").startswith("$")


def _list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _leaf(value: Any) -> Any:
    """Numbers are themselves; all else is text that no other value has (Python says True == 1)."""
    if isinstance(value, str):
        return _text(value) if _json(value) else value
    number = value if isinstance(value, bool) else _number(value)
    return _text(value) if isinstance(number, bool) or not isinstance(number, (int, float)) else number


def _number(value: Any) -> Any:
    """1, 1.0, Int64(1) and Decimal128("1") are one number to the server; true is 1 where one is asked for."""
    if isinstance(value, Decimal128):
        exact = value.to_decimal()
        value = float(exact) if exact.is_finite() and Decimal(float(exact)) == exact else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) else value


def _text(value: Any) -> str:
    return json_util.dumps(_plain(value), json_options=json_util.RELAXED_JSON_OPTIONS)


def _plain(value: Any) -> Any:
    """`value` with its numbers made alike, in the order that it has."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in cast("Document", value).items()}
    if _list(value):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool) else _number(value)


def _json(text: str) -> bool:
    try:
        json_util.loads(text)
    except (ValueError, TypeError):
        return False
    return True
