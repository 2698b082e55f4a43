"""The steps that a MongoDB migration is written with: `from dbtrust.migrations import create_index, ...`.

Nothing here talks to a server or imports a driver: each function checks its arguments and returns data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from dbtrust.model.errors import ConfigError
from dbtrust.model.project_code import unfit
from dbtrust.model.steps import (
    Action,
    CreateCollection,
    CreateIndex,
    CustomStep,
    DropCollection,
    DropIndex,
    Level,
    RenameCollection,
    SetValidator,
    Step,
    Update,
    UpdateInBatches,
)

__all__ = [
    "Step",
    "create_collection",
    "create_index",
    "drop_collection",
    "drop_index",
    "rename_collection",
    "set_validator",
    "step",
    "update_in_batches",
]

#: createIndexes' options, MongoDB 8.0 (docs: createIndexes command).
_INDEX_OPTIONS = frozenset({
    "unique", "sparse", "partialFilterExpression", "expireAfterSeconds", "hidden", "collation",
    "storageEngine", "weights", "default_language", "language_override", "textIndexVersion",
    "2dsphereIndexVersion", "bits", "min", "max", "wildcardProjection", "prepareUnique", "v",
})  # fmt: skip
_KINDS = ("text", "2d", "2dsphere", "hashed")
#: Keywords of MongoDB's $jsonSchema (docs: $jsonSchema, "Available keywords").
_SCHEMA_KEYWORDS = frozenset({
    "additionalItems", "additionalProperties", "allOf", "anyOf", "bsonType", "dependencies",
    "description", "encrypt", "encryptMetadata", "enum", "exclusiveMaximum", "exclusiveMinimum", "items",
    "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
    "minimum", "multipleOf", "not", "oneOf", "pattern", "patternProperties", "properties", "required",
    "title", "type", "uniqueItems",
})  # fmt: skip


def create_collection(
    name: str,
    *,
    validator: Mapping[str, Any] | None = None,
    level: Level = "strict",
    action: Action = "error",
) -> CreateCollection:
    """Create a collection; `validator` is a JSON Schema or a match expression. Inverse: drop it."""
    _collection(name)
    _validation(level, action)
    return CreateCollection(name, _expression(validator, "create_collection"), level, action)


def drop_collection(name: str) -> DropCollection:
    """Drop a collection. Inverse: create it with the options and indexes it had; its documents are lost."""
    return DropCollection(_collection(name))


def create_index(
    collection: str, keys: str | Sequence[tuple[str, Any]] | Mapping[str, Any], *, name: str, **options: Any
) -> CreateIndex:
    """Create an index on `keys`, [(field, 1 | -1 | kind), ...] in order. Inverse: drop it."""
    _collection(collection)
    _index_name(name)
    for option in options:
        _option(option, name)
    return CreateIndex(collection, _keys(keys, name), name, options)


def drop_index(collection: str, name: str) -> DropIndex:
    """Drop an index. Inverse: build it again from the full specification that it had."""
    _collection(collection)
    return DropIndex(collection, _index_name(name))


def set_validator(
    collection: str, schema: Mapping[str, Any] | None, *, level: Level = "strict", action: Action = "error"
) -> SetValidator:
    """Replace the validator (None: remove it). Inverse: the validator, level and action that were there."""
    _collection(collection)
    _validation(level, action)
    return SetValidator(collection, _expression(schema, "set_validator"), level, action)


def rename_collection(old: str, new: str) -> RenameCollection:
    """Rename a collection. Inverse: rename it back."""
    if _collection(old) == _collection(new):
        raise ConfigError(f"rename_collection: {old!r} is renamed to itself", next="give another name")
    return RenameCollection(old, new)


def update_in_batches(
    collection: str,
    filter: Mapping[str, Any],
    update: Update,
    *,
    size: int = 1000,
    revert: Update | tuple[Mapping[str, Any], Update] | Callable[[Any], object] | None = None,
) -> UpdateInBatches:
    """Update the documents that match, `size` of them at a time in the order of _id.

    The inverse is `revert`: an update for exactly the documents that were changed, a pair (filter, update),
    or a callable that takes the database.
    """
    _collection(collection)
    if not isinstance(cast("Any", filter), Mapping):
        raise ConfigError(
            f"update_in_batches: filter is {filter!r}", next="give a match expression, {} for all"
        )
    _update(update, "update")
    if type(size) is not int or size < 1:
        raise ConfigError(f"update_in_batches: size is {size!r}", next="give a whole number from 1 on")
    if callable(revert):
        if why := unfit(revert):
            raise ConfigError(
                f"update_in_batches: revert {why}", next="give a function that takes the database"
            )
    elif revert is not None:
        _update(_reverting(revert), "revert")
    return UpdateInBatches(collection, filter, update, size, revert)


def step(
    name: str,
    *,
    apply: Callable[[Any], object],
    revert: Callable[[Any], object] | None = None,
    probe: Callable[[Any], bool] | None = None,
) -> CustomStep:
    """Your own code over the database; `probe` returns True where it is already in force."""
    if not isinstance(cast("Any", name), str) or not name.strip():
        raise ConfigError(f"step: name is {name!r}", next="give a name")
    for label, function in (("apply", apply), ("revert", revert), ("probe", probe)):
        if (label == "apply" or function is not None) and (why := unfit(function)):
            raise ConfigError(f"step {name!r}: {label} {why}", next="give a function that takes the database")
    return CustomStep(name, apply, revert, probe)


def _collection(name: object) -> str:
    """Naming restrictions: https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions"""
    if (
        not isinstance(name, str)
        or not name
        or "$" in name
        or "\0" in name
        or name.startswith(("system.", "."))
    ):
        raise ConfigError(
            f"{name!r} is no name of a collection",
            next="give a name without $ that does not begin with system.",
        )
    return name


def _index_name(name: object) -> str:
    if not isinstance(name, str) or not name or name in ("*", "_id_") or "\0" in name:
        raise ConfigError(
            f"{name!r} is no name of an index of yours", next="name the index, not _id_ and not *"
        )
    return name


def _option(option: str, index: str) -> None:
    if option in _INDEX_OPTIONS:
        return
    near = get_close_matches(option, sorted(_INDEX_OPTIONS), n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(sorted(_INDEX_OPTIONS))}"
    raise ConfigError(f"create_index {index!r}: unknown option {option!r}", next=hint)


def _keys(keys: Any, index: str) -> tuple[tuple[str, Any], ...]:
    """Keys as pairs; a bare field name is ascending, a mapping keeps its order."""
    pairs: Any = [(keys, 1)] if isinstance(keys, str) else keys
    pairs = list(cast("Mapping[str, Any]", pairs).items()) if isinstance(pairs, Mapping) else pairs
    if not isinstance(pairs, Sequence) or isinstance(pairs, bytes) or not pairs:
        raise ConfigError(
            f"create_index {index!r}: keys are {keys!r}", next='write [("field", 1), ("other", -1)]'
        )
    return tuple(_key(pair, index) for pair in cast("Sequence[Any]", pairs))


def _key(pair: Any, index: str) -> tuple[str, Any]:
    if isinstance(pair, (tuple, list)) and len(cast("Sequence[Any]", pair)) == 2:
        name, direction = cast("tuple[Any, Any]", tuple(cast("Sequence[Any]", pair)))
        if isinstance(name, str) and name and (direction in _KINDS or _direction(direction)):
            return name, direction
    raise ConfigError(
        f"create_index {index!r}: key {pair!r} is no (field, direction)",
        next=f"direction: 1, -1, {', '.join(_KINDS)}",
    )


def _direction(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in (1, -1)


def _validation(level: object, action: object) -> None:
    for label, value, allowed in (
        ("level", level, ("strict", "moderate")),
        ("action", action, ("error", "warn")),
    ):
        if value not in allowed:
            raise ConfigError(f"{label} is {value!r}", next=f"one of {', '.join(allowed)}")


def _expression(validator: Any, function: str) -> dict[str, Any] | None:
    """A validator as a match expression: a bare JSON Schema is wrapped into {"$jsonSchema": ...}."""
    if validator is None:
        return None
    if not isinstance(validator, Mapping) or not validator:
        raise ConfigError(
            f"{function}: the validator is {validator!r}", next="give a JSON Schema, or None for none"
        )
    fields = dict(cast("Mapping[str, Any]", validator))
    if any(key.startswith("$") for key in fields) or any(_operators(value) for value in fields.values()):
        return fields
    unknown = sorted(set(fields) - _SCHEMA_KEYWORDS)
    if unknown:
        near = get_close_matches(unknown[0], sorted(_SCHEMA_KEYWORDS), n=1)
        hint = f"did you mean {near[0]}?" if near else "wrap a schema as {'$jsonSchema': ...}"
        raise ConfigError(f"{function}: {unknown[0]!r} is no keyword of MongoDB's $jsonSchema", next=hint)
    return {"$jsonSchema": fields}


def _operators(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    keys = list(cast("Mapping[str, Any]", value))
    return bool(keys) and all(key.startswith("$") for key in keys)


def _reverting(revert: Any) -> Any:
    """The update of a pair (filter, update), or the update itself."""
    if isinstance(revert, tuple):
        parts = cast("tuple[Any, ...]", revert)
        if len(parts) != 2 or not isinstance(parts[0], Mapping):
            raise ConfigError(
                "update_in_batches: revert is no pair (filter, update)", next="give both, or an update"
            )
        return parts[1]
    return revert


def _update(update: Any, label: str) -> None:
    """An update has operators only: a replacement of many documents is refused by the server."""
    stages = cast("list[Any]", update if isinstance(update, list) else [update])
    if stages and all(_operators(stage) for stage in stages):
        return
    raise ConfigError(
        f"update_in_batches: {label} is {update!r}", next='give operators, {"$set": {...}}, or a pipeline'
    )
