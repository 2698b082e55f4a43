"""MongoDB's types as its shells write them, and as extended JSON has them. Pure."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

#: Words of the shells that are values.
CONSTANTS: Mapping[str, Any] = {
    "true": True, "false": False, "null": None, "undefined": None, "NaN": math.nan, "Infinity": math.inf,
    "MinKey": {"$minKey": 1}, "MaxKey": {"$maxKey": 1},
}  # fmt: skip
#: A document nested deeper than this is none that a server gives: BSON ends at 180 levels.
DEEPEST = 200


def construct(name: str, arguments: list[Any]) -> Any:
    """ObjectId("…"), NumberLong(5) … as extended JSON; a type that is not known as {"$NAME": its arguments}."""
    name = name.rpartition(".")[2] if name.startswith(("Long.", "BSON.", "bson.")) else name
    make = _TYPES.get(name)
    try:
        made = make(arguments) if make else None
    except (TypeError, ValueError, IndexError, OverflowError):
        made = None
    return {f"${name}": arguments} if made is None else made


def _whole(arguments: list[Any]) -> Any:
    return int(arguments[0] if arguments else 0)


def _double(arguments: list[Any]) -> Any:
    return float(arguments[0])


def _date(arguments: list[Any]) -> Any:
    first = arguments[0]
    return {"$date": _iso(int(first)) if isinstance(first, (int, float)) else _normal_date(str(first))}


def _iso(milliseconds: int) -> Any:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return {"$numberLong": str(milliseconds)}
    return _written(moment)


def _normal_date(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return _written(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _written(moment: datetime) -> str:
    """As json_util writes it: milliseconds where there are some."""
    moment = moment.astimezone(UTC)
    thousandth = moment.microsecond // 1000
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{thousandth:03}' if thousandth else ''}Z"


def _uuid(arguments: list[Any]) -> Any:
    return _binary(bytes.fromhex(str(arguments[0]).replace("-", "")), 4)


def _binary(data: bytes, subtype: int) -> dict[str, Any]:
    return {"$binary": {"base64": base64.b64encode(data).decode("ascii"), "subType": f"{subtype:02x}"}}


def _bindata(arguments: list[Any]) -> Any:
    return _binary(base64.b64decode(str(arguments[1])), int(arguments[0]))


def _base64(arguments: list[Any]) -> Any:
    return _binary(base64.b64decode(str(arguments[0])), int(arguments[1]) if len(arguments) > 1 else 0)


def _timestamp(arguments: list[Any]) -> Any:
    first = arguments[0]
    if isinstance(first, dict):
        parts = cast("dict[str, Any]", first)
        return {"$timestamp": {"t": int(parts["t"]), "i": int(parts["i"])}}
    return {"$timestamp": {"t": int(first), "i": int(arguments[1]) if len(arguments) > 1 else 0}}


def _regex(arguments: list[Any]) -> Any:
    options = str(arguments[1]) if len(arguments) > 1 else ""
    return {"$regularExpression": {"pattern": str(arguments[0]), "options": options}}


_TYPES: Mapping[str, Callable[[list[Any]], Any]] = {
    "ObjectId": lambda a: {"$oid": str(a[0])}, "ISODate": _date, "Date": _date, "UUID": _uuid,
    "NumberLong": _whole, "NumberInt": _whole, "Long": _whole, "Int32": _whole, "fromString": _whole,
    "fromNumber": _whole, "Double": _double, "NumberDecimal": lambda a: {"$numberDecimal": str(a[0])},
    "Decimal128": lambda a: {"$numberDecimal": str(a[0])}, "BinData": _bindata,
    "Binary.createFromBase64": _base64, "Timestamp": _timestamp, "RegExp": _regex, "BSONRegExp": _regex,
    "MinKey": lambda _: {"$minKey": 1}, "MaxKey": lambda _: {"$maxKey": 1},
}  # fmt: skip


def relaxed(value: Any, depth: int = 0) -> Any:
    """Extended JSON in its canonical form as the relaxed one: numbers as numbers, dates as text.

    Raises ValueError where the value is nested deeper than a server's document can be.
    """
    if depth > DEEPEST:
        raise ValueError
    if isinstance(value, list):
        return [relaxed(item, depth + 1) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    if len(fields) == 1 and (known := _number(*next(iter(fields.items())))) is not None:
        return known
    return {key: relaxed(item, depth + 1) for key, item in fields.items()}


_DIGITS = re.compile(r"-?\d{1,19}")


def _number(key: str, text: Any) -> Any:
    """{"$numberLong": "5"} -> 5; None for what is no such wrapper."""
    if key in ("$numberInt", "$numberLong") and isinstance(text, str) and _DIGITS.fullmatch(text):
        return int(text)
    if key == "$numberDouble" and isinstance(text, str):
        try:
            return float(text)
        except ValueError:
            return None
    if key == "$date" and isinstance(text, dict):
        inner = relaxed(cast("dict[str, Any]", text), DEEPEST - 1)
        return {"$date": _iso(inner)} if isinstance(inner, int) else None
    if key == "$date" and isinstance(text, str):
        return {"$date": _normal_date(text)}
    return None
