"""Model values as BSON values and back: what pydantic and the driver do not turn into each other."""

from __future__ import annotations

import datetime
import decimal
import enum
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

import pydantic
from bson import Binary
from bson.decimal128 import Decimal128
from pydantic import BaseModel

from dbtrust.queries.annotations import resolved

#: Types whose values the driver encodes as they are.
_PLAIN = frozenset({str, int, float, bool, bytes, datetime.datetime, type(None)})
#: What a dump holds that the driver cannot encode, or not as it should.
_FOREIGN = (decimal.Decimal, uuid.UUID, enum.Enum, set, frozenset, tuple)


def encoded(value: Any) -> Any:
    """Decimal as decimal, UUID as binary 4, an Enum as its value, a set or tuple as an array; inside as well."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, enum.Enum):
        return encoded(value.value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value).items()
        return {(k.value if isinstance(k, enum.Enum) else k): encoded(v) for k, v in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [encoded(item) for item in cast("list[Any]", value)]
    if isinstance(value, decimal.Decimal):
        return Decimal128(value)
    return Binary.from_uuid(value) if isinstance(value, uuid.UUID) else value


def decoded(value: Any, *, aware: bool = True) -> Any:
    """Decimal128 as Decimal and, where `aware`, a naive datetime as UTC, which is all BSON has; inside as well."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if aware and type(value) is datetime.datetime and value.tzinfo is None:
        return value.replace(tzinfo=datetime.UTC)
    if isinstance(value, Mapping):
        return {k: decoded(v, aware=aware) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [decoded(item, aware=aware) for item in cast("list[Any]", value)]
    return value


def needs_encoding(model: type[BaseModel]) -> bool:
    """May a dump of the model hold something that the driver does not encode?"""
    return _mentions(model, lambda kind: _is_any(kind) or _is_class(kind, _FOREIGN))


def needs_decoding(model: type[BaseModel]) -> bool:
    """May a stored document hold something that pydantic does not read as the model means it?"""
    wanted = (decimal.Decimal, datetime.datetime, pydantic.AwareDatetime)
    return _mentions(model, lambda kind: _is_any(kind) or _is_class(kind, wanted))


def wants_naive(model: type[BaseModel]) -> bool:
    """Does a field ask for datetimes without a time zone (pydantic's NaiveDatetime)?"""
    return _mentions(model, lambda kind: kind is pydantic.NaiveDatetime)


def _is_class(kind: Any, wanted: tuple[Any, ...]) -> bool:
    return isinstance(kind, type) and issubclass(kind, wanted)


def _is_any(kind: Any) -> bool:
    """Any, object and containers that do not say of what."""
    return kind in (Any, object, dict, list, Mapping)


def _mentions(annotation: Any, wanted: Callable[[Any], bool], seen: frozenset[Any] = frozenset()) -> bool:
    """Is one of the types in an annotation, or in a model that it holds, a wanted one?"""
    annotation = resolved(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in seen:
            return False
        extras = [Any] if annotation.model_config.get("extra") == "allow" else []
        inner = [*(f.annotation for f in annotation.model_fields.values()), *extras]
        return any(_mentions(a, wanted, seen | {annotation}) for a in inner)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return any(wanted(type(a)) for a in arguments)
    if wanted(origin or annotation) and not (arguments and _is_any(origin)):
        return True
    return any(_mentions(a, wanted, seen) for a in arguments)
