"""A $jsonSchema from a pydantic model, by Python type: model_json_schema() would refuse real dates and numbers."""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bson
import bson.decimal128
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dbtrust.model.errors import ContractError

_SCALARS: dict[Any, list[str]] = {
    str: ["string"], bool: ["bool"], int: ["int", "long"], float: ["number"], bytes: ["binData"],
    datetime.datetime: ["date"], decimal.Decimal: ["decimal"], bson.decimal128.Decimal128: ["decimal"],
    uuid.UUID: ["binData"], bson.ObjectId: ["objectId"], type(None): ["null"], dict: ["object"], list: ["array"],
}  # fmt: skip
#: pydantic's constraint -> $jsonSchema's, in the draft 4 form that MongoDB reads.
_BOUNDS = {
    "ge": ("minimum", False), "gt": ("minimum", True), "le": ("maximum", False), "lt": ("maximum", True),
    "min_length": ("minLength", False), "max_length": ("maxLength", False), "pattern": ("pattern", False),
    "multiple_of": ("multipleOf", False),
}  # fmt: skip


def json_schema(model: type[BaseModel], extra: Sequence[str] = ()) -> dict[str, Any]:
    """The $jsonSchema of a model: aliases are the names, `_id` is always allowed, X | None adds null.

    `extra` names date fields that the write path adds. Raises ContractError for a type that BSON has no form for.
    """
    schema = _object(model)
    properties = schema["properties"]
    for name in extra:
        properties.setdefault(name, {"bsonType": "date"})
    if schema.get("additionalProperties") is False:
        properties.setdefault("_id", {})
    return schema


def _object(model: type[BaseModel], outer: tuple[type[BaseModel], ...] = ()) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    if model in outer:
        step = "$jsonSchema has no references: pass schema= to Collection"
        raise ContractError(f"{outer[-1].__name__} holds {model.__name__} again", next=step)
    for name, info in model.model_fields.items():
        if info.exclude:
            continue
        key = info.serialization_alias or info.alias or name
        properties[key] = _field(info, f"{model.__name__}.{name}", (*outer, model))
        if info.is_required():
            required.append(key)
    schema: dict[str, Any] = {"bsonType": "object"}
    if required:
        schema["required"] = required
    schema["properties"] = properties
    if model.model_config.get("extra") == "forbid":
        schema["additionalProperties"] = False
    return schema


def _field(info: FieldInfo, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    schema = _type(info.annotation, label, outer)
    _constrain(schema, info.metadata)
    return schema


def _constrain(schema: dict[str, Any], constraints: Iterable[Any]) -> None:
    for constraint in constraints:
        if isinstance(constraint, FieldInfo):
            _constrain(schema, constraint.metadata)
            continue
        for attribute, (key, exclusive) in _BOUNDS.items():
            if (value := getattr(constraint, attribute, None)) is not None:
                _bound(schema, key, value, exclusive)


def _bound(schema: dict[str, Any], key: str, value: Any, exclusive: bool) -> None:
    if schema.get("bsonType") == "array" and key in ("minLength", "maxLength"):
        key = key.replace("Length", "Items")
    if isinstance(value, decimal.Decimal):
        value = bson.decimal128.Decimal128(value)
    schema[key] = value
    if exclusive:
        schema["exclusiveMinimum" if key == "minimum" else "exclusiveMaximum"] = True


def _type(annotation: Any, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    if annotation is Any:
        return {}
    if annotation in _SCALARS:
        kinds = _SCALARS[annotation]
        return {"bsonType": kinds[0] if len(kinds) == 1 else list(kinds)}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _object(annotation, outer)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"enum": [member.value for member in annotation]}
    return _generic(annotation, label, outer)


def _generic(annotation: Any, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        schema = _type(arguments[0], label, outer)
        _constrain(schema, arguments[1:])
        return schema
    if origin in (typing.Union, types.UnionType):
        return _union([_type(a, label, outer) for a in arguments])
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is tuple and arguments[1:] != (...,):
        places = [_type(a, label, outer) for a in arguments]
        count = len(places)
        return {"bsonType": "array", "items": places, "minItems": count, "maxItems": count}
    if origin in (list, set, tuple, Sequence, frozenset):
        items = _type(arguments[0], label, outer) if arguments else {}
        return {"bsonType": "array", "items": items} if items else {"bsonType": "array"}
    if origin in (dict, Mapping):
        values = _type(arguments[1], label, outer)
        return {"bsonType": "object", "additionalProperties": values} if values else {"bsonType": "object"}
    raise ContractError(
        f"{label}: {annotation!r} has no BSON type", next="pass schema= to Collection, or change the type"
    )


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Types alone merge into one list; anything more becomes anyOf, but null joins a single other part."""
    plain = [p["bsonType"] for p in parts if set(p) == {"bsonType"}]
    if len(plain) == len(parts):
        kinds = [kind for entry in plain for kind in ([entry] if isinstance(entry, str) else entry)]
        return {"bsonType": list(dict.fromkeys(kinds))}
    others = [p for p in parts if p != {"bsonType": "null"}]
    if len(others) == 1 and len(parts) == 2:
        return _nullable(others[0])
    return {"anyOf": parts}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if "enum" in schema:
        return {**schema, "enum": [*schema["enum"], None]}
    if "bsonType" not in schema:
        return {"anyOf": [schema, {"bsonType": "null"}]}
    kinds = schema["bsonType"]
    return {**schema, "bsonType": [*([kinds] if isinstance(kinds, str) else kinds), "null"]}
