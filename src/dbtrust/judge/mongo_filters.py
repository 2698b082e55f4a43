"""Documents that a query filter finds, made from the filter itself. The server says whether it does."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from bson import Regex

from dbtrust.judge.candidates import sample
from dbtrust.judge.mongo_breaking import put
from dbtrust.judge.mongo_documents import BY_TYPE

Document = dict[str, Any]
_DAY = datetime.timedelta(days=1)
_NOTHING = object()
_LOW, _HIGH = ("$gt", "$gte"), ("$lt", "$lte")


def fulfilling(filter: Mapping[str, Any]) -> Document:
    """Dotted field -> a value with which the filter finds a document; what is not understood is left out.

    Of an $or the first branch is taken.
    """
    found: Document = {}
    for field, wanted in filter.items():
        if field == "$and":
            for part in cast("Sequence[Mapping[str, Any]]", wanted):
                found |= fulfilling(part)
        elif field == "$or":
            for part in cast("Sequence[Mapping[str, Any]]", wanted)[:1]:
                found |= fulfilling(part)
        elif not field.startswith("$"):
            value = next(_values(wanted), _NOTHING)
            found |= {} if value is _NOTHING else {field: value}
    return found


def shape(filter: object) -> str:
    """What a filter asks for, without the values: the same at each turn of a loop."""
    if isinstance(filter, Mapping):
        pairs = cast("Mapping[str, Any]", filter).items()
        return "{" + ",".join(f"{key}:{shape(value)}" for key, value in sorted(pairs)) + "}"
    if isinstance(filter, list):
        inner = {shape(cast("object", i)) for i in cast("list[Any]", filter) if isinstance(i, Mapping)}
        return "[" + ",".join(sorted(inner)) + "]"
    return "?"


def _values(wanted: Any) -> Iterator[Any]:
    """None or one value that a field may have."""
    if isinstance(wanted, re.Pattern | Regex):
        yield from _matching(cast("Any", wanted).pattern)
    elif not isinstance(wanted, Mapping) or not any(k.startswith("$") for k in cast("Document", wanted)):
        yield wanted
    else:
        yield from _operated(cast("Mapping[str, Any]", wanted))


def _operated(wanted: Mapping[str, Any]) -> Iterator[Any]:
    low, high = (next((wanted[k] for k in keys if k in wanted), None) for keys in (_LOW, _HIGH))
    if "$eq" in wanted:
        yield wanted["$eq"]
    elif wanted.get("$in"):
        yield from _values(wanted["$in"][0])
    elif low is not None or high is not None:
        yield from _between(low, high, strict="$gt" in wanted or "$lt" in wanted)
    elif "$regex" in wanted:
        pattern = wanted["$regex"]
        yield from _matching(pattern if isinstance(pattern, str) else pattern.pattern)
    elif "$type" in wanted:
        types = cast("list[Any]", wanted["$type"] if isinstance(wanted["$type"], list) else [wanted["$type"]])
        yield from (BY_TYPE[name] for name in types[:1] if name in BY_TYPE)
    elif "$elemMatch" in wanted:
        yield from ([value] for value in _element(wanted["$elemMatch"]))
    elif "$all" in wanted:
        yield list(wanted["$all"])
    elif "$size" in wanted:
        yield list(range(int(wanted["$size"])))
    elif wanted.get("$exists"):
        yield "was there"


def _element(wanted: Mapping[str, Any]) -> Iterator[Any]:
    if any(key.startswith("$") for key in wanted):
        yield from _operated(wanted)
    else:
        yield with_values({}, fulfilling(wanted))


def with_values(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with each of the dotted fields set."""
    for field, value in values.items():
        document = put(document, tuple(field.split(".")), value)
    return document


def _between(low: Any, high: Any, *, strict: bool) -> Iterator[Any]:
    """In the middle, or well within the one bound that there is: a bound may be of now, and move until it is asked again."""
    known = low if low is not None else high
    if isinstance(known, datetime.datetime):
        if low is None or high is None:
            yield known + (_DAY if high is None else -_DAY)
        elif isinstance(high, datetime.datetime) and (low.tzinfo is None) == (high.tzinfo is None):
            yield low + (high - low) / 2
    elif isinstance(known, int | float) and not isinstance(known, bool):
        if low is not None and high is not None and isinstance(high, int | float):
            middle = (low + high) / 2
            whole = int(middle) if low < int(middle) < high else middle
            yield whole if strict else low
        else:
            yield known + (1 if high is None else -1) if strict else known
    elif isinstance(known, str):
        yield f"{known}a" if high is None else known[:-1]
    else:
        yield known


def _matching(pattern: object) -> Iterator[str]:
    text = pattern.decode(errors="replace") if isinstance(pattern, bytes) else str(pattern)
    plain = text if not re.search(r"[\[\](){}\\^$*+?|.]", text) else sample(text)
    if plain is not None:
        yield plain
