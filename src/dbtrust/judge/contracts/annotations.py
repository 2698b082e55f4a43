"""What Python annotations say of values: which fit, which may be None, what a row type's fields are."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import inspect
import ipaddress
import types
import typing
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.queries.annotations import bare
from dbtrust.queries.results import required_keys

_UTC = datetime.UTC
#: A value of each type that a driver sends.
_SAMPLES: dict[Any, tuple[Any, ...]] = {
    bool: (True,), int: (1, 100_000, 2**40), float: (1.5,), decimal.Decimal: (decimal.Decimal("1.5"),), str: ("x",),
    bytes: (b"x",), bytearray: (bytearray(b"x"),), datetime.date: (datetime.date(2024, 1, 1),),
    datetime.datetime: (datetime.datetime(2024, 1, 1, tzinfo=_UTC), datetime.datetime(2024, 1, 1)),
    datetime.time: (datetime.time(10),), datetime.timedelta: (datetime.timedelta(days=1),),
    uuid.UUID: (uuid.UUID(int=1),), dict: ({},), ipaddress.IPv4Address: (ipaddress.IPv4Address("10.0.0.1"),),
    ipaddress.IPv6Address: (ipaddress.IPv6Address("::1"),),
    ipaddress.IPv4Network: (ipaddress.IPv4Network("10.0.0.0/8"),),
}  # fmt: skip
_LISTS = (
    list,
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    set,
    frozenset,
)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row type. `converted`: pydantic makes the value fit where it can."""

    name: str
    annotation: Any
    required: bool = True
    converted: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowType:
    """`fields` None: the row is one value or a tuple of unknown length. `by_name`: columns are matched by name."""

    name: str
    fields: tuple[Field, ...] | None
    by_name: bool = True
    extra: bool = False


def accepts_none(annotation: Any) -> bool:
    """Does None fit?"""
    annotation = bare(annotation)
    if annotation in (Any, object, None, type(None)):
        return True
    if typing.get_origin(annotation) is typing.Literal:
        return None in typing.get_args(annotation)
    return typing.get_origin(annotation) in _UNIONS and any(
        accepts_none(a) for a in typing.get_args(annotation)
    )


def elements_accept_none(annotation: Any) -> bool:
    """May an element of a list be None? True where the annotation does not say."""
    for part in parts(annotation):
        arguments = typing.get_args(part)
        if typing.get_origin(part) in (*_LISTS, tuple) and arguments:
            return any(accepts_none(a) for a in arguments if a is not ...)
    return True


def parts(annotation: Any) -> list[Any]:
    """The members of a union, None left out; otherwise the annotation itself."""
    annotation = bare(annotation)
    if typing.get_origin(annotation) in _UNIONS:
        return [p for a in typing.get_args(annotation) for p in parts(a) if p is not type(None)]
    return [] if annotation in (None, type(None)) else [annotation]


def fits(value: Any, annotation: Any) -> bool:
    """Is a value an instance of an annotation? int fits float (PEP 484); what cannot be told fits."""
    annotation = bare(annotation)
    if annotation in (Any, object):
        return True
    if value is None:
        return accepts_none(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in _UNIONS:
        return any(fits(value, a) for a in arguments)
    if origin is typing.Literal:
        return any(value == a and type(value) is type(a) for a in arguments)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation is datetime.date:
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    if origin is not None:
        return _fits_generic(value, origin, arguments)
    return _fits_class(value, annotation)


def _fits_generic(value: Any, origin: Any, arguments: tuple[Any, ...]) -> bool:
    if origin in _LISTS:
        wanted = (list, tuple) if origin not in (list, set, frozenset) else (origin,)
        return isinstance(value, wanted) and all(fits(v, arguments[0]) for v in cast("list[Any]", value))
    if origin is tuple:
        return _fits_tuple(value, arguments)
    if origin in _MAPPINGS:
        return isinstance(value, dict) and all(
            fits(k, arguments[0]) and fits(v, arguments[1]) for k, v in cast("dict[Any, Any]", value).items()
        )
    return isinstance(value, origin) if inspect.isclass(origin) else True


def _fits_tuple(value: Any, arguments: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple):
        return False
    items = cast("tuple[Any, ...]", value)
    if len(arguments) == 2 and arguments[1] is ...:
        return all(fits(v, arguments[0]) for v in items)
    return len(items) == len(arguments) and all(fits(v, a) for v, a in zip(items, arguments, strict=True))


def _fits_class(value: Any, kind: Any) -> bool:
    if not inspect.isclass(kind):
        return True
    if issubclass(kind, enum.Enum):
        return isinstance(value, kind) or value in [member.value for member in kind]
    if typing.is_typeddict(kind) or hasattr(kind, "model_fields") or dataclasses.is_dataclass(kind):
        return isinstance(value, dict | str) or _is_instance(value, kind)
    return _is_instance(value, kind)


def _is_instance(value: Any, kind: Any) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:
        return True  # A protocol or an alias that cannot be asked.


def samples(annotation: Any) -> list[Any]:
    """Values of an annotation as a caller may send them, the commonest first; none where nothing is known."""
    return [value for part in parts(annotation) for value in _samples(part)]


def _samples(part: Any) -> Iterator[Any]:
    origin, arguments = typing.get_origin(part), typing.get_args(part)
    if part in _SAMPLES:
        yield from _SAMPLES[part]
    elif origin is typing.Literal:
        yield from (a for a in arguments if a is not None)
    elif origin in _LISTS or (origin is tuple and arguments[1:] == (...,)):
        # psycopg sends a tuple as a composite and a set not at all: what a caller passes is what counts.
        kind = origin if origin in (set, frozenset, tuple) else list
        yield from (kind([v]) for v in samples(arguments[0]))
    elif origin in _MAPPINGS or typing.is_typeddict(part):
        yield {}
    elif inspect.isclass(part) and issubclass(part, enum.Enum):
        yield from part


def listed(annotation: Any) -> list[Any] | None:
    """The values of a Literal or an Enum, where nothing else is allowed; None for other annotations."""
    found: list[Any] = []
    for part in parts(annotation):
        if typing.get_origin(part) is typing.Literal:
            found += [a for a in typing.get_args(part) if a is not None]
        elif inspect.isclass(part) and issubclass(part, enum.Enum):
            found += [member.value for member in part]
        else:
            return None
    return found


def row_type(annotation: Any) -> RowType:
    """The fields of a row type. A scalar has one field without a name; `dict` and bare tuples say nothing."""
    kind: Any = bare(annotation)
    name = str(getattr(kind, "__name__", kind))
    if _is_dataclass(kind):
        return RowType(name, tuple(_dataclass_fields(kind)))
    if hasattr(kind, "model_fields"):
        extra = kind.model_config.get("extra") != "forbid"
        return RowType(name, tuple(_model_fields(kind)), extra=extra)
    if _is_named_tuple(kind):
        hints, defaults = _hints(kind), kind._field_defaults
        return RowType(name, tuple(Field(f, hints.get(f, Any), f not in defaults) for f in kind._fields))
    if _is_typed_dict(kind):
        required = required_keys(kind)
        return RowType(name, tuple(Field(f, a, f in required) for f, a in _hints(kind).items()))
    if kind is tuple or kind is dict or typing.get_origin(kind) in _MAPPINGS:
        return RowType(name, None, extra=True)
    if typing.get_origin(kind) is tuple:
        return _tuple(name, typing.get_args(kind))
    return RowType(name, (Field("", kind),), by_name=False)


def _is_dataclass(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) and inspect.isclass(kind)


def _is_named_tuple(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, tuple) and hasattr(kind, "_fields")  # pyright: ignore[reportUnknownArgumentType]


def _is_typed_dict(kind: Any) -> bool:
    return typing.is_typeddict(kind)


def _tuple(name: str, arguments: tuple[Any, ...]) -> RowType:
    if arguments[1:] == (...,):
        return RowType(name, None, extra=True)
    return RowType(name, tuple(Field("", a) for a in arguments), by_name=False)


def _hints(kind: Any) -> Mapping[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _dataclass_fields(kind: type) -> Iterator[Field]:
    hints, missing = _hints(kind), dataclasses.MISSING
    for f in dataclasses.fields(kind):
        if f.init:
            required = f.default is missing and f.default_factory is missing
            yield Field(f.name, hints.get(f.name, Any), required)


def _model_fields(kind: Any) -> Iterator[Field]:
    for name, info in kind.model_fields.items():
        names = [a for a in (info.alias, info.validation_alias) if isinstance(a, str)]
        by_name = bool(kind.model_config.get("populate_by_name") or kind.model_config.get("validate_by_name"))
        aliases = tuple(names) + ((name,) if by_name or not names else ())
        yield Field(name, info.annotation, info.is_required(), converted=True, aliases=aliases)
