"""Where a method puts its arguments: the field and operator that a marked value turns up at in its commands."""

from __future__ import annotations

import datetime
import re
import typing
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from bson import ObjectId
from bson.regex import Regex

from dbtrust.judge.contracts.annotations import parts
from dbtrust.judge.drawing import Kind
from dbtrust.queries.annotations import bare

Document = Mapping[str, Any]
#: A page of results: nobody asks for all of them.
LIMIT = 20
_LIMITS = frozenset({"limit", "$limit"})
_WHOLE = frozenset({"$match", "q", "query", "filter", "u", "$set", "updates", "deletes"})


@dataclass(frozen=True, slots=True)
class Use:
    """`path` is dotted; `operator` is "$eq", "$gte", "$in", … or "limit"."""

    collection: str
    path: str
    operator: str


def marked(annotation: Any, number: int) -> Any:
    """A value of the annotated type that no data hold, another for each number; None where there is none such."""
    annotation = bare(annotation)
    origin = typing.get_origin(annotation)
    if origin in (list, set, tuple, Sequence, frozenset):
        inner = marked(next(iter(typing.get_args(annotation)), str), number)
        return None if inner is None else [inner]
    for kind in parts(annotation):
        if isinstance(kind, type) and kind in _MARKS:
            return _MARKS[kind](number)
    return None


def _moment(number: int) -> datetime.datetime:
    return datetime.datetime(2191, 7, 1 + number % 28, 3, 4, 5, tzinfo=datetime.UTC)


_MARKS: Mapping[type, Callable[[int], Any]] = {
    str: "dbtrust-mark-{}".format,
    int: (1_907_000_011).__add__,
    float: (1_907_000_011.25).__add__,
    ObjectId: lambda number: ObjectId(f"db70057{number:017x}"),
    uuid.UUID: lambda number: uuid.UUID(int=0xDB70057 << 64 | number),
    datetime.datetime: _moment,
    Decimal: lambda number: Decimal(f"1907000011.{number:03d}1"),
}


def element_of(mark: Any) -> Any:
    """What stands in the command where the argument is a list: its one element."""
    return cast("list[Any]", mark)[0] if isinstance(mark, list) else mark


def use_of(commands: Sequence[Document], mark: Any) -> Use | None:
    """The first place where a mark stands."""
    wanted = element_of(mark)
    for command in commands:
        name = next(iter(command), "")
        collection = command.get(name)
        if isinstance(collection, str):
            for path, operator in _places(command, wanted, "", "$eq"):
                return Use(collection, path, operator)
    return None


def _places(value: Any, mark: Any, path: str, operator: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in cast("Document", value).items():
            if key in _LIMITS and item == mark:
                yield "", "limit"
            elif key in _WHOLE:
                yield from _places(item, mark, "", "$eq")
            elif key.startswith("$"):
                yield from _places(
                    item, mark, path, operator if key in ("$and", "$or", "$nor", "$elemMatch") else key
                )
            else:
                yield from _places(item, mark, f"{path}.{key}" if path else key, "$eq")
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            yield from _places(item, mark, path, operator)
    elif _is(value, mark):
        yield path, "$regex" if isinstance(value, Regex | re.Pattern) else operator


def _is(value: Any, mark: Any) -> bool:
    if isinstance(value, Regex | re.Pattern):
        return isinstance(mark, str) and mark in str(cast("Any", value).pattern)
    if isinstance(value, datetime.datetime) and isinstance(mark, datetime.datetime):
        return value.replace(tzinfo=None) == mark.replace(tzinfo=None)
    return type(value) in (type(mark), int, float) and value == mark


def choose(values: Sequence[Any], operator: str, kind: Kind, mark: Any) -> Any:
    """A value for an argument that is compared with a field holding `values`; the mark itself is absent."""
    if operator == "limit":
        return LIMIT
    counts = Counter(value for value in values if isinstance(value, typing.Hashable) and value is not None)
    if kind == "absent" or not counts:
        return mark
    if operator in ("$gt", "$gte", "$lt", "$lte"):
        return _bound(list(counts.elements()), operator, kind)
    ranked = [value for value, _ in counts.most_common()]
    return ranked[0] if kind == "common" else ranked[-1]


def _bound(values: list[Any], operator: str, kind: Kind) -> Any:
    """A quarter from one end, so that two bounds of one field leave something; close to it for few rows."""
    same = [value for value in values if type(value) is type(values[0])]
    ordered = sorted(same)
    share = {"common": 0.25, "rare": 0.49}[kind]
    place = round(share * (len(ordered) - 1))
    return ordered[place if operator in ("$gt", "$gte") else -1 - place]
