"""A report as plain data: only dicts, lists, text, numbers, booleans and None, without any password."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, cast

from dbtrust.model.report import Report
from dbtrust.report.redact import HIDDEN, is_secret, redact

#: The whole numbers that JSON readers agree on; larger ones are written as text.
_EXACT = 2**63


def document(report: Report) -> dict[str, Any]:
    """The JSON document of contract version 1 as plain data; what all outputs show."""
    return cast("dict[str, Any]", plain(report.to_dict()))


def plain(value: Any) -> Any:
    """A value as JSON has it: dates, decimals, object ids and other types of a driver become text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return redact(_valid(str(value))) if value else ""
    if isinstance(value, int):
        return int(value) if -_EXACT <= value < _EXACT else str(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    return _composite(value)


def _composite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapping(cast("Mapping[Any, Any]", value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in cast("Iterable[Any]", value)), key=repr)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("Sequence[Any]", value)]
    return redact(_valid(_text(value)))


def _mapping(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for key, item in mapping.items():
        name, secret = _name(str(key))
        shown[name] = HIDDEN if secret and isinstance(item, str) else plain(item)
    return shown


@lru_cache(maxsize=1000)
def _name(key: str) -> tuple[str, bool]:
    """A key as it is shown, and whether its value is a password: few keys, many times."""
    name = redact(_valid(key))
    return name, is_secret(name)


def _text(value: object) -> str:
    """str() of a value, ISO 8601 for the types of datetime."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds()} s"
    return str(value)


def _valid(text: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair (a file name that is no UTF-8) becomes an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def visible(text: str) -> str:
    """One line for a terminal: line breaks, escape sequences and other control characters are spelled out."""
    if text.isprintable():
        return text
    # Of a long text the characters that occur are few: each is looked at once.
    odd = {c: _spell(c) for c in set(text) if not c.isprintable()}
    return text.translate(str.maketrans(odd))


def _spell(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
