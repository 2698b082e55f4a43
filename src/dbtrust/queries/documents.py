"""Model values as BSON values and back: what pydantic and the driver do not turn into each other."""

from __future__ import annotations

import datetime
import decimal
import enum
import typing
import uuid
from collections.abc import Mapping
from typing import Any, cast

from bson import Binary
from bson.decimal128 import Decimal128
from pydantic import BaseModel

#: Types whose values the driver encodes as they are.
_PLAIN = frozenset({str, int, float, bool, bytes, datetime.datetime, type(None)})


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


def decoded(value: Any) -> Any:
    """Decimal128 as Decimal, inside as well; pydantic reads the rest."""
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, Mapping):
        return {k: decoded(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [decoded(item) for item in cast("list[Any]", value)]
    return value


def mentions(annotation: Any, kinds: tuple[type, ...], seen: frozenset[Any] = frozenset()) -> bool:
    """Does an annotation, or a model in it, hold one of these types?"""
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            if annotation in seen:
                return False
            inner = (f.annotation for f in annotation.model_fields.values())
            return any(mentions(a, kinds, seen | {annotation}) for a in inner)
        if issubclass(annotation, kinds):
            return True
    return any(mentions(a, kinds, seen) for a in typing.get_args(annotation))


#: What a dump holds that the driver cannot encode.
FOREIGN = (decimal.Decimal, uuid.UUID, enum.Enum, set, frozenset, tuple)
