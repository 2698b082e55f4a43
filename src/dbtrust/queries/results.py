"""What a method's return annotation means: how many rows, and how one row becomes a value."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dbtrust.model.errors import ContractError

Rows = Literal["one", "optional", "list", "iterator", "affected", "nothing"]
RowMaker = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Result:
    """`row` is the type of one row (None for Affected and None)."""

    rows: Rows
    row: Any = None


def result_of(annotation: Any, affected: Any) -> Result:
    """Reads R, R | None, list[R], Iterator[R], AsyncIterator[R], Affected or None. Raises ContractError."""
    if annotation is affected:
        return Result("affected")
    if annotation in (None, type(None)):
        return Result("nothing")
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        return Result("list", arguments[0])
    if origin in (collections.abc.Iterator, collections.abc.AsyncIterator, collections.abc.Iterable):
        return Result("iterator", arguments[0])
    if origin in (typing.Union, types.UnionType) and type(None) in arguments:
        rest = [a for a in arguments if a is not type(None)]
        if len(rest) != 1:
            raise ContractError(f"{annotation} is no row type", next="write R | None with one R")
        return Result("optional", rest[0])
    return Result("one", annotation)


def row_maker(kind: Any, columns: Sequence[str]) -> RowMaker:
    """A function from a row to a value of type `kind`; columns are matched by name.

    Raises ContractError where a field has no column.
    """
    if dataclasses.is_dataclass(kind):
        return _by_name(
            kind,
            [f.name for f in dataclasses.fields(kind) if f.init],
            columns,
            kind,
            required=_required(kind),
        )
    if hasattr(kind, "model_fields"):
        return _model(kind, columns)
    fields: tuple[str, ...] | None = getattr(kind, "_fields", None)
    if fields is not None:
        return _by_name(kind, list(fields), columns, kind)
    if typing.is_typeddict(kind) or kind is dict or typing.get_origin(kind) is dict:
        names = tuple(columns)
        return lambda row: dict(zip(names, row, strict=True))
    if kind is tuple or typing.get_origin(kind) is tuple:
        return tuple
    if len(columns) != 1:
        raise ContractError(
            f"{len(columns)} columns for one {_name(kind)}",
            next="select one column or return a row type",
        )
    return lambda row: row[0]


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))


def _required(kind: Any) -> set[str]:
    missing = dataclasses.MISSING
    return {
        f.name
        for f in dataclasses.fields(kind)
        if f.init and f.default is missing and f.default_factory is missing
    }


def _by_name(
    make: Any, fields: list[str], columns: Sequence[str], kind: Any, required: set[str] | None = None
) -> RowMaker:
    places = {name: place for place, name in enumerate(columns)}
    absent = [name for name in fields if name not in places and (required is None or name in required)]
    if absent:
        raise ContractError(
            f"{kind.__name__}.{absent[0]} has no column", next=f"the query gives {', '.join(columns)}"
        )
    if list(columns) == fields:
        return lambda row: make(*row)
    pairs = [(name, places[name]) for name in fields if name in places]
    return lambda row: make(**{name: row[place] for name, place in pairs})


def _model(kind: Any, columns: Sequence[str]) -> RowMaker:
    names, validate = tuple(columns), kind.__pydantic_validator__.validate_python
    return lambda row: validate(dict(zip(names, row, strict=True)))
