"""Commands as text that mongosh reads, with every type and the order of keys kept."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from bson import Binary, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.decimal128 import Decimal128

#: Keys that a JavaScript object would move to the front.
_INTEGER = re.compile(r"0|[1-9][0-9]*")
_INT32 = 2**31


def command(document: Mapping[str, Any]) -> str:
    """`db.runCommand({…});`"""
    return f"db.runCommand({value(document)});"


def value(given: Any) -> str:
    """A BSON value as a literal of mongosh; Infinity and NaN are JavaScript's own."""
    if given is None or isinstance(given, bool):
        return json.dumps(given)
    if isinstance(given, Mapping):
        return _document(cast("Mapping[str, Any]", given))
    if isinstance(given, list | tuple):
        return f"[{', '.join(value(item) for item in cast('Sequence[Any]', given))}]"
    if isinstance(given, int | float):
        return _number(given)
    return _scalar(given)


def _document(given: Mapping[str, Any]) -> str:
    pairs = [(_text(key), value(inner)) for key, inner in given.items()]
    if any(_INTEGER.fullmatch(key) or key == "__proto__" for key in given):
        return f"new Map([{', '.join(f'[{key}, {inner}]' for key, inner in pairs)}])"
    return f"{{{', '.join(f'{key}: {inner}' for key, inner in pairs)}}}"


def _number(given: float) -> str:
    if isinstance(given, float):
        text = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(given), repr(given))
        return f"Double({text})" if given.is_integer() else text
    wide = isinstance(given, Int64) or not -_INT32 <= given < _INT32
    return f'NumberLong("{int(given)}")' if wide else str(int(given))


def _scalar(given: Any) -> str:
    match given:
        case str():
            return _text(given)
        case ObjectId():
            return f'ObjectId("{given}")'
        case datetime():
            moment = given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
            return f'ISODate("{moment.strftime("%Y-%m-%dT%H:%M:%S.")}{moment.microsecond // 1000:03d}Z")'
        case Decimal128():
            return f'NumberDecimal("{given}")'
        case UUID():
            return f'UUID("{given}")'
        case bytes():
            subtype = given.subtype if isinstance(given, Binary) else 0
            return f'BinData({subtype}, "{base64.b64encode(given).decode("ascii")}")'
        case Regex() | re.Pattern():
            return _regex(cast("Any", given))
        case Timestamp():
            return f"Timestamp({{t: {given.time}, i: {given.inc}}})"
        case MinKey():
            return "MinKey()"
        case MaxKey():
            return "MaxKey()"
        case _:
            return f"EJSON.parse({_text(str(given))})"


def _regex(given: Any) -> str:
    flags: int = given.flags
    options = "".join(
        letter for letter, flag in zip("imsx", (re.I, re.M, re.S, re.X), strict=True) if flags & flag
    )
    return f"BSONRegExp({_text(given.pattern)}, {_text(options)})"


def _text(given: str) -> str:
    """A JavaScript string on one line; what JSON leaves as it is and a terminal does not is escaped."""
    return json.dumps(given)
