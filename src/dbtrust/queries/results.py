"""What a method's return annotation means: how many rows, and how rows become values."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dbtrust.model.errors import ContractError
from dbtrust.queries.annotations import bare

Rows = Literal["one", "optional", "list", "iterator", "affected", "nothing"]
Row = Sequence[Any]
#: One row to one value; None where the row itself is the value.
RowMaker = Callable[[Row], Any]
_ITERATORS = (
    collections.abc.Iterator, collections.abc.AsyncIterator, collections.abc.Iterable, collections.abc.AsyncIterable,
    collections.abc.Generator, collections.abc.AsyncGenerator,
)  # fmt: skip
_NO_ROWS = (set, frozenset, collections.abc.Sequence, collections.abc.Collection, collections.abc.Set, type)


@dataclass(frozen=True, slots=True)
class Result:
    """`row` is the type of one row (None for Affected and None); `asynchronous` of an iterator."""

    rows: Rows
    row: Any = None
    asynchronous: bool = False


def result_of(annotation: Any, affected: Any) -> Result:
    """Reads R, R | None, list[R], Iterator[R], AsyncIterator[R], Affected or None. Raises ContractError."""
    if annotation is affected:
        return Result("affected")
    if annotation in (None, type(None)):
        return Result("nothing")
    if annotation in (list, collections.abc.Iterator, collections.abc.AsyncIterator):
        raise ContractError(f"{_name(annotation)} does not say of what", next=f"write {_name(annotation)}[…]")
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return Result("list", arguments[0])
    if origin in _ITERATORS:
        return Result("iterator", arguments[0], "Async" in origin.__name__)
    if origin in _NO_ROWS or annotation in _NO_ROWS:
        raise ContractError(f"{annotation} is no row type", next="write list[R], R | None, R or Affected")
    if origin in (typing.Union, types.UnionType) and type(None) in arguments:
        rest = [a for a in arguments if a is not type(None)]
        if len(rest) != 1:
            raise ContractError(f"{annotation} is no row type", next="write R | None with one R")
        return Result("optional", rest[0])
    return Result("one", annotation)


def row_maker(kind: Any, columns: Sequence[str]) -> RowMaker | None:
    """A function from a row (a tuple) to a value of type `kind`; columns are matched by name. None: the row as it is.

    Raises ContractError where names do not fit: a field without a column, a column without a field or twice.
    """
    kind = bare(kind)
    if kind is tuple or typing.get_origin(kind) is tuple:
        return _tuple(kind, columns)
    if hasattr(kind, "model_fields"):
        return _model(kind, columns)
    if dataclasses.is_dataclass(kind):
        fields = [f for f in dataclasses.fields(kind) if f.init]
        plain = not any(f.kw_only for f in fields)
        return _by_name(kind, [f.name for f in fields], columns, required=_required(kind), plain=plain)
    fields = getattr(kind, "_fields", None)
    if fields is not None:
        optional = set(getattr(kind, "_field_defaults", {}))
        return _by_name(kind, list(fields), columns, required=set(fields) - optional, plain=True)
    if typing.is_typeddict(kind):
        return _typed_dict(kind, columns)
    if kind is dict or typing.get_origin(kind) in (dict, collections.abc.Mapping):
        _once(columns)
        names = tuple(columns)
        return lambda row: dict(zip(names, row, strict=True))
    return _scalar(kind, columns)


def matches_names(kind: Any) -> bool:
    """Does a row type have fields with names? Tuples and scalars have places alone."""
    kind = bare(kind)
    named = hasattr(kind, "model_fields") or dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")
    mapping = (
        typing.is_typeddict(kind)
        or kind is dict
        or typing.get_origin(kind) in (dict, collections.abc.Mapping)
    )
    return named or mapping


def _scalar(kind: Any, columns: Sequence[str]) -> RowMaker:
    if len(columns) != 1:
        raise ContractError(
            f"{len(columns)} columns for one {_name(kind)}", next="select one column or return a row type"
        )
    convert = _converter(kind)
    return (lambda row: row[0]) if convert is None else (lambda row: convert(row[0]))


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _required(kind: Any) -> set[str]:
    missing = dataclasses.MISSING
    return {
        f.name
        for f in dataclasses.fields(kind)
        if f.init and f.default is missing and f.default_factory is missing
    }


def _once(columns: Sequence[str]) -> None:
    doubled = [name for name, count in Counter(columns).items() if count > 1]
    if doubled:
        raise ContractError(
            f"two columns are called {doubled[0]}", next="give one of them another name with AS"
        )


def _matched(kind: Any, fields: Iterable[str], columns: Sequence[str], required: set[str]) -> None:
    """Every required field has a column, and every column a field."""
    _once(columns)
    fields = list(fields)
    absent = [name for name in fields if name not in columns and name in required]
    if absent:
        raise ContractError(
            f"{_name(kind)}.{absent[0]} has no column", next=f"the query gives {', '.join(columns)}"
        )
    extra = [name for name in columns if name not in fields]
    if extra:
        step = "add the field, or do not select it"
        raise ContractError(f"{_name(kind)} has no field for the column {extra[0]}", next=step)


def _by_name(
    kind: Any, fields: list[str], columns: Sequence[str], *, required: set[str], plain: bool
) -> RowMaker:
    _matched(kind, fields, columns, required)
    converters = _converters(kind, columns)
    made = _by_place(kind) if plain and list(columns) == fields else _by_keyword(kind, columns)
    return _converting(made, converters)


def _by_place(make: Any) -> RowMaker:
    return lambda row: make(*row)


def _by_keyword(make: Any, columns: Sequence[str]) -> RowMaker:
    names = tuple(columns)
    return lambda row: make(**dict(zip(names, row, strict=True)))


def _typed_dict(kind: Any, columns: Sequence[str]) -> RowMaker:
    _matched(kind, typing.get_type_hints(kind), columns, required_keys(kind))
    names = tuple(columns)
    return _converting(lambda row: dict(zip(names, row, strict=True)), _converters(kind, columns))


def required_keys(kind: Any) -> set[str]:
    """The keys that a TypedDict must have. `__required_keys__` does not see NotRequired in postponed annotations."""
    found: set[str] = set()
    for base in [*getattr(kind, "__orig_bases__", ()), kind]:
        if typing.is_typeddict(base):
            hints = typing.get_type_hints(base, include_extras=True)
            own = getattr(base, "__annotations__", {})
            found -= set(own)
            found |= {name for name in own if _is_required(hints[name], base.__total__)}
    return found


def _is_required(annotation: Any, total: bool) -> bool:
    origin = typing.get_origin(annotation)
    return origin is typing.Required or (total and origin is not typing.NotRequired)


def _tuple(kind: Any, columns: Sequence[str]) -> RowMaker | None:
    arguments = typing.get_args(kind)
    if not arguments or arguments[1:] == (...,):
        return None
    if len(arguments) != len(columns):
        message = f"{len(columns)} columns for {len(arguments)} values of a tuple"
        raise ContractError(message, next=f"the query gives {', '.join(columns)}")
    converters = [(i, c) for i, a in enumerate(arguments) if (c := _converter(a)) is not None]
    return _converting(tuple, converters) if converters else None


def _model(kind: Any, columns: Sequence[str]) -> RowMaker:
    _once(columns)
    names, validate = tuple(columns), kind.__pydantic_validator__.validate_python
    return lambda row: validate(dict(zip(names, row, strict=True)))


Converters = list[tuple[int, Callable[[Any], Any]]]


def _converters(kind: Any, columns: Sequence[str]) -> Converters:
    """(place of the column, conversion) for the fields that psycopg does not load as they are annotated."""
    hints = typing.get_type_hints(kind)
    pairs = ((place, _converter(hints.get(name))) for place, name in enumerate(columns))
    return [(place, convert) for place, convert in pairs if convert is not None]


def _converter(annotation: Any) -> Callable[[Any], Any] | None:
    """An Enum comes as the text of its label."""
    kinds = [a for a in (typing.get_args(annotation) or (annotation,)) if a is not type(None)]
    origin = typing.get_origin(annotation)
    if len(kinds) != 1 or (origin is not None and origin not in (typing.Union, types.UnionType)):
        return None
    kind = bare(kinds[0])
    if not (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return None
    return lambda value: value if value is None or isinstance(value, kind) else kind(value)


def _converting(make: RowMaker, converters: Converters) -> RowMaker:
    if not converters:
        return make

    def converted(row: Row) -> Any:
        values = list(row)
        for place, convert in converters:
            values[place] = convert(values[place])
        return make(values)

    return converted
