"""A $jsonSchema from a pydantic model, by Python type: model_json_schema() would refuse real dates and numbers."""

from __future__ import annotations

import datetime
import decimal
import enum
import re
import types
import typing
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson
import bson.decimal128
import bson.int64
import bson.timestamp
import pydantic
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dbtrust.model.errors import ContractError
from dbtrust.queries.annotations import resolved
from dbtrust.queries.names import document_name

_SCALARS: dict[Any, list[str]] = {
    str: ["string"], bool: ["bool"], int: ["int", "long"], float: ["number"], bytes: ["binData"],
    datetime.datetime: ["date"], pydantic.AwareDatetime: ["date"], pydantic.NaiveDatetime: ["date"],
    pydantic.PastDatetime: ["date"], pydantic.FutureDatetime: ["date"], decimal.Decimal: ["decimal"],
    bson.decimal128.Decimal128: ["decimal"], uuid.UUID: ["binData"], bson.Binary: ["binData"],
    bson.ObjectId: ["objectId"], bson.int64.Int64: ["long"], bson.timestamp.Timestamp: ["timestamp"],
    type(None): ["null"], dict: ["object"], Mapping: ["object"], list: ["array"], tuple: ["array"],
    Sequence: ["array"],
}  # fmt: skip
_SETS = (set, frozenset)
#: pydantic's constraint -> $jsonSchema's, in the draft 4 form that MongoDB reads.
_BOUNDS = {
    "ge": ("minimum", False), "gt": ("minimum", True), "le": ("maximum", False), "lt": ("maximum", True),
    "min_length": ("minLength", False), "max_length": ("maxLength", False), "pattern": ("pattern", False),
    "multiple_of": ("multipleOf", False),
}  # fmt: skip
#: What a length counts, by BSON type; binData has no keyword for it.
_LENGTHS = {"string": "Length", "array": "Items", "object": "Properties"}


def json_schema(model: type[BaseModel], extra: Sequence[str] = ()) -> dict[str, Any]:
    """The $jsonSchema of a model: aliases are the names, `_id` is always allowed, X | None adds null.

    `extra` names date fields that the write path adds. Raises ContractError, naming the field, for a type that BSON
    has no form for, a model within itself, and a field that would not be loaded under the name it is stored under.
    """
    schema = _Builder().document(model, ())
    properties = schema["properties"]
    for name in extra:
        properties.setdefault(name, {"bsonType": "date"})
    if schema.get("additionalProperties") is False:
        properties.setdefault("_id", {})
    return schema


def outline(model: type[BaseModel]) -> dict[str, Any]:
    """The same for reading only: what has no form is left open instead of refused."""
    return _Builder(lenient=True).document(model, ())


@dataclass(frozen=True, slots=True)
class _Builder:
    """`lenient`: a field without a form may hold anything. Models within which a field stands are `outer`."""

    lenient: bool = False

    def document(self, model: type[BaseModel], outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required: list[str] = []
        for name, info in model.model_fields.items():
            label = f"{model.__name__}.{name}"
            if info.exclude:
                self._excluded(info, label)
                continue
            key = document_name(model, name, info, strict=not self.lenient)
            properties[key] = self._field(info, label, (*outer, model))
            if info.is_required():
                required.append(key)
        schema: dict[str, Any] = {"bsonType": "object"}
        if required:
            schema["required"] = required
        schema["properties"] = properties
        if model.model_config.get("extra") == "forbid":
            schema["additionalProperties"] = False
        return schema

    def _excluded(self, info: FieldInfo, label: str) -> None:
        if info.is_required() and not self.lenient:
            step = "give it a default, or store it"
            raise ContractError(f"{label} is excluded, so no document can be loaded again", next=step)

    def _field(self, info: FieldInfo, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
        try:
            if any("Json" in (type(m).__name__, getattr(m, "__name__", "")) for m in info.metadata):
                return {"bsonType": "string"}
            schema = self._type(info.annotation, label, outer)
        except ContractError:
            if self.lenient:
                return {}
            raise
        _constrain(schema, info.metadata)
        return schema

    def _type(self, annotation: Any, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
        annotation = resolved(annotation)
        if annotation in (Any, object):
            return {}
        if isinstance(annotation, type) and annotation in _SCALARS:
            kinds = _SCALARS[annotation]
            return {"bsonType": kinds[0] if len(kinds) == 1 else list(kinds)}
        if annotation in _SETS:
            return {"bsonType": "array", "uniqueItems": True}
        if isinstance(annotation, type) and typing.get_origin(annotation) is None:
            if issubclass(annotation, BaseModel):
                return self._model(annotation, label, outer)
            if issubclass(annotation, enum.Enum):
                return {"enum": [_listed(member, label) for member in annotation]}
        return self._generic(annotation, label, outer)

    def _model(
        self, model: type[BaseModel], label: str, outer: tuple[type[BaseModel], ...]
    ) -> dict[str, Any]:
        if model in outer:
            step = "$jsonSchema has no references: pass schema= to Collection"
            raise ContractError(f"{label}: {outer[-1].__name__} holds {model.__name__} again", next=step)
        if model.__pydantic_root_model__:
            return self._type(model.model_fields["root"].annotation, label, (*outer, model))
        return self.document(model, outer)

    def _generic(self, annotation: Any, label: str, outer: tuple[type[BaseModel], ...]) -> dict[str, Any]:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Annotated:
            schema = self._type(arguments[0], label, outer)
            _constrain(schema, arguments[1:])
            return schema
        if origin in (typing.Union, types.UnionType):
            return _union([self._type(a, label, outer) for a in arguments])
        if origin is typing.Literal:
            return {"enum": [_listed(value, label) for value in arguments]}
        if origin is tuple and arguments[1:] != (...,):
            places = [self._type(a, label, outer) for a in arguments]
            count = len(places)
            return {"bsonType": "array", "items": places, "minItems": count, "maxItems": count}
        if origin in (list, set, tuple, Sequence, frozenset):
            items = self._type(arguments[0], label, outer) if arguments else {}
            unique = {"uniqueItems": True} if origin in _SETS else {}
            return {"bsonType": "array", **({"items": items} if items else {}), **unique}
        if origin in (dict, Mapping):
            return self._mapping(arguments, label, outer)
        shown = getattr(annotation, "__name__", None) or repr(annotation)
        step = "pass schema= to Collection, or change the type"
        if annotation is datetime.date:
            step = "BSON has no date without a time: take datetime, or str"
        raise ContractError(f"{label}: {shown} has no BSON type", next=step)

    def _mapping(
        self, arguments: tuple[Any, ...], label: str, outer: tuple[type[BaseModel], ...]
    ) -> dict[str, Any]:
        if not (_are_texts(arguments[0]) or self.lenient):
            raise ContractError(
                f"{label}: a document's keys are strings, and {arguments[0]!r} are none",
                next="take dict[str, …]",
            )
        values = self._type(arguments[1], label, outer)
        return {"bsonType": "object", "additionalProperties": values} if values else {"bsonType": "object"}


def _are_texts(keys: Any) -> bool:
    """str, Literal and Enum of strings: what a dump gives and a load reads as it was."""
    keys = resolved(keys)
    if typing.get_origin(keys) is typing.Annotated:
        return _are_texts(typing.get_args(keys)[0])
    if typing.get_origin(keys) is typing.Literal:
        return all(isinstance(value, str) for value in typing.get_args(keys))
    if isinstance(keys, type) and issubclass(keys, enum.Enum):
        return all(isinstance(member.value, str) for member in keys)
    return keys in (str, Any)


def _listed(value: Any, label: str) -> Any:
    """A value of a Literal or Enum as the driver sends it."""
    found = value.value if isinstance(value, enum.Enum) else value
    found = bson.decimal128.Decimal128(found) if isinstance(found, decimal.Decimal) else found
    if not isinstance(found, str | int | float | bytes | bson.decimal128.Decimal128 | None):
        raise ContractError(f"{label}: {found!r} has no BSON type", next="pass schema= to Collection")
    return found


def _constrain(schema: dict[str, Any], constraints: Iterable[Any]) -> None:
    for constraint in constraints:
        if isinstance(constraint, FieldInfo):
            _constrain(schema, constraint.metadata)
            continue
        for attribute, (key, exclusive) in _BOUNDS.items():
            if (value := getattr(constraint, attribute, None)) is not None:
                _bound(schema, key, value, exclusive)


def _bound(schema: dict[str, Any], key: str, value: Any, exclusive: bool) -> None:
    if key.endswith("Length"):
        for kind in _kinds(schema):
            if kind in _LENGTHS:
                schema[key.replace("Length", _LENGTHS[kind])] = value
        return
    if isinstance(value, re.Pattern):
        value = value.pattern  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if isinstance(value, decimal.Decimal):
        value = bson.decimal128.Decimal128(value)
    if key in ("minimum", "maximum", "multipleOf") and not isinstance(
        value, int | float | bson.decimal128.Decimal128
    ):
        return  # $jsonSchema bounds numbers only; the model keeps the bound of a date.
    schema[key] = value
    if exclusive:
        schema["exclusiveMinimum" if key == "minimum" else "exclusiveMaximum"] = True


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kinds = schema.get("bsonType", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _union(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Types alone merge into one list; anything more becomes anyOf, but null joins a single other part."""
    if {} in parts:
        return {}
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
        listed = schema["enum"]
        return {**schema, "enum": listed if None in listed else [*listed, None]}
    if "bsonType" not in schema:
        return {"anyOf": [schema, {"bsonType": "null"}]}
    return {**schema, "bsonType": [*_kinds(schema), "null"]}
