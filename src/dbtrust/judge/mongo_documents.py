"""Documents that a $jsonSchema accepts, and values to break it with. The server itself says which are what.

A document is a plain dict of BSON values; values of types that Python does not have come from `bson`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from bson import Binary, Decimal128, Int64, ObjectId, Regex, Timestamp

from dbtrust.judge.candidates import sample

Document = dict[str, Any]
Schema = Mapping[str, Any]
#: How many documents are made from the alternatives of one schema, how deep schemas are followed, how long texts get.
VARIANTS, _DEPTH, _LONGEST = 24, 12, 5_000
_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
#: A value of each BSON type.
BY_TYPE: dict[str, Any] = {
    "string": "a", "int": 1, "long": Int64(1), "double": 1.5, "decimal": Decimal128("1.5"), "number": 1, "bool": True,
    "boolean": True, "date": _DAY, "objectId": ObjectId("0" * 23 + "1"), "array": [], "object": {}, "null": None,
    "binData": Binary(b"a"), "regex": Regex("a"), "timestamp": Timestamp(1, 1),
}  # fmt: skip
_NUMERIC = ("int", "long", "double", "decimal", "number")


def documents(schema: Schema) -> Iterator[Document]:
    """Documents made for a schema, those with every property first."""
    for value in islice(values(schema), VARIANTS):
        if isinstance(value, dict):
            yield cast("Document", value)
    required = _required(schema)
    for value in islice(values(schema), 2):
        if isinstance(value, dict):
            yield {k: v for k, v in cast("Document", value).items() if k in required}


def values(schema: Schema, depth: int = 0) -> Iterator[Any]:
    """Values made for a schema: one for each way through its alternatives and types."""
    if depth > _DEPTH:
        return
    for merged in _alternatives(schema):
        yield from _plain(merged, depth)


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """The schema with allOf drawn in, and one branch of anyOf and oneOf."""
    rest = {k: v for k, v in schema.items() if k not in ("allOf", "anyOf", "oneOf")}
    schemas = [rest]
    for part in schema.get("allOf", ()):
        schemas = [_merged(s, branch) for s in schemas for branch in islice(_alternatives(part), 4)]
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            branches = [b for part in schema[keyword] for b in islice(_alternatives(part), 4)]
            schemas = [_merged(s, branch) for branch in branches for s in schemas]
    yield from schemas[:VARIANTS]


def _merged(left: Schema, right: Schema) -> Document:
    merged = dict(left)
    for key, value in right.items():
        if key == "properties" and key in merged:
            own = cast("dict[str, Schema]", merged[key])
            merged[key] = {**own, **{n: _merged(own.get(n, {}), s) for n, s in value.items()}}
        elif key == "required" and key in merged:
            merged[key] = [*merged[key], *value]
        else:
            merged[key] = value
    return merged


def _required(schema: Schema) -> set[str]:
    found = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        found |= _required(part)
    return found


def types(schema: Schema) -> list[str]:
    """The types that a schema names; none where it names none."""
    named = schema.get("bsonType", schema.get("type", ()))
    return [named] if isinstance(named, str) else list(named)


def _plain(schema: Schema, depth: int) -> Iterator[Any]:
    if "enum" in schema:
        yield from schema["enum"]
        return
    # null is the least telling value of all.
    for kind in sorted(types(schema) or [_implied(schema)], key=lambda name: name == "null"):
        if kind == "object":
            yield from _objects(schema, depth)
        elif kind == "array":
            yield from _arrays(schema, depth)
        elif kind == "string":
            yield from _strings(schema)
        elif kind in _NUMERIC:
            yield from (as_number(kind, n) for n in _within(schema))
        else:
            yield BY_TYPE.get(kind, "a")


def _implied(schema: Schema) -> str:
    """The type that a schema without one speaks of."""
    for kind, keywords in _SPEAK.items():
        if any(keyword in schema for keyword in keywords):
            return kind
    return "string"


_SPEAK = {
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "minProperties",
        "dependencies",
    ),
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "number": ("minimum", "maximum", "multipleOf"),
    "string": ("pattern", "minLength", "maxLength"),
}


def _objects(schema: Schema, depth: int) -> Iterator[Document]:
    properties = cast("dict[str, Schema]", schema.get("properties", {}))
    names = list(dict.fromkeys([*properties, *schema.get("required", ())]))
    choices = {name: list(islice(values(properties.get(name, {}), depth + 1), 6)) for name in names}
    made: Document = {name: found[0] for name, found in choices.items() if found}
    for number in range(int(schema.get("minProperties", 0)) - len(made)):
        made[f"more{number}"] = next(values(_additional(schema), depth + 1), "a")
    for name, needed in schema.get("dependencies", {}).items():
        others = cast("list[str]", needed) if name in made and isinstance(needed, list) else []
        for other in others:
            made.setdefault(other, next(values(properties.get(other, {}), depth + 1), "a"))
    for pattern, inner in schema.get("patternProperties", {}).items():
        if (name := sample(pattern) or pattern.strip("^$")) not in made:
            made[name] = next(values(inner, depth + 1), "a")
    yield made
    for name, found in choices.items():
        yield from ({**made, name: value} for value in found[1:])


def _additional(schema: Schema) -> Schema:
    found = schema.get("additionalProperties")
    return cast("Schema", found) if isinstance(found, Mapping) else {}


def _arrays(schema: Schema, depth: int) -> Iterator[list[Any]]:
    items = schema.get("items", {})
    least = int(schema.get("minItems", 0))
    most = int(schema.get("maxItems", max(least, 2)))
    if isinstance(items, list):
        yield [next(values(part, depth + 1), "a") for part in cast("list[Schema]", items)]
        return
    found = list(islice(values(items, depth + 1), 40))
    unlike: list[Any] = []
    for value in found:
        if not any(value == other and type(value) is type(other) for other in unlike):
            unlike.append(value)
    if found and most > 0:
        size = max(least, 1)
        yield unlike[:size] if len(unlike) >= size else (found * size)[:size]
        yield _counted(found[0], size)
    yield []


def _counted(value: Any, size: int) -> list[Any]:
    """So many values that differ, where that can be made of one."""
    if isinstance(value, str):
        return [value + "a" * n for n in range(size)]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [value + n for n in range(size)]
    return [value] * size


def _strings(schema: Schema) -> Iterator[str]:
    least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", _LONGEST))
    pattern = schema.get("pattern")
    texts = ["a", "abc", "A1", "0", "b", "c", "d", "e"]
    if pattern is not None:
        texts = [t for n in range(3) if (t := sample(str(pattern), n)) is not None] or [
            str(pattern).strip("^$")
        ]
    for text in texts:
        padded = text + (text[-1:] or "a") * max(0, least - len(text))
        yield padded[:most] if pattern is None else padded


def _within(schema: Schema) -> list[Any]:
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf", 1)
    low, high = _python(low), _python(high)
    if schema.get("exclusiveMinimum") and low is not None:
        low = low + step
    if schema.get("exclusiveMaximum") and high is not None:
        high = high - step
    if low is None:
        low = min(0, high) if high is not None else 1
    found = [low, *([high] if high is not None else []), *(low + step * n for n in range(1, 6))]
    return [n for n in found if high is None or n <= high]


def _python(number: Any) -> Any:
    return float(number.to_decimal()) if isinstance(number, Decimal128) else number


def as_number(kind: str, number: Any) -> Any:
    """A number of a BSON type."""
    if kind == "int":
        return int(number)
    if kind == "long":
        return Int64(int(number))
    if kind == "double":
        return float(number)
    return Decimal128(str(number)) if kind == "decimal" else number


def around(schema: Schema, value: Any) -> list[Any]:
    """Values for a place, valid or not: of every type, at the edges of what its schema says, the value altered."""
    found: list[Any] = []
    for bound in (schema.get("minimum"), schema.get("maximum"), *_numbers(schema.get("enum", ()))):
        if (number := _python(bound)) is not None:
            found += [as_number(kind, number + step) for kind in _kinds(value) for step in (0, 1, -1, 0.5)]
    if isinstance(step := _python(schema.get("multipleOf")), (int, float)) and isinstance(
        value, (int, float)
    ):
        found += [value + step / 2, value + 1, value * step + 1]
    found += _texts(schema, value) if isinstance(value, str) else []
    found += _lists(schema, cast("list[Any]", value)) if isinstance(value, list) else []
    found += _maps(schema, cast("Document", value)) if isinstance(value, dict) else []
    branches = [
        part for key in ("anyOf", "oneOf", "allOf") for part in cast("Sequence[Schema]", schema.get(key, ()))
    ]
    for part in [*branches, schema.get("not", {})]:
        found += list(islice(values(part), 4)) if part else []
    return [*found, *BY_TYPE.values(), "", "zz", 0, -1, 10**6, Int64(-1), -1.5, 10.0**9]


def _kinds(value: Any) -> list[str]:
    if isinstance(value, Int64):
        return ["long"]
    if isinstance(value, Decimal128):
        return ["decimal"]
    return (
        ["double"] if isinstance(value, float) else ["int", "double"] if isinstance(value, int) else ["int"]
    )


def _numbers(items: Sequence[Any]) -> list[Any]:
    return [n for n in items if isinstance(n, (int, float)) and not isinstance(n, bool)][:6]


def _texts(schema: Schema, value: str) -> list[str]:
    found = [
        *(c * len(value) for c in "aA0 "),
        value[:-1],
        value + "!",
        value + value[-1:],
        value.upper(),
        value.lower(),
        f" {value}",
        value + "a",
    ]
    if "minLength" in schema:
        found.append((value or "a")[: max(0, int(schema["minLength"]) - 1)])
        found.append("a" * max(0, int(schema["minLength"]) - 1))
    if int(schema.get("maxLength", _LONGEST)) < _LONGEST:
        size = int(schema["maxLength"]) + 1
        found += [
            value + (value[-1:] or "a") * (size - len(value)),
            value[:1] * (size - len(value)) + value,
            "a" * size,
        ]
        found += [value.replace(c, c * (size - len(value) + 1), 1) for c in dict.fromkeys(value)]
    return found


def _lists(schema: Schema, value: list[Any]) -> list[Any]:
    item = (
        value[0]
        if value
        else next((v for v in values(schema.get("items", {}))), "a")
        if isinstance(schema.get("items", {}), Mapping)
        else "a"
    )
    found: list[Any] = [[], value + value, [*value, item], [item], [item, item], value[:-1]]
    for bound in (schema.get("minItems"), schema.get("maxItems")):
        if bound is not None and int(bound) < 1_000:
            found += [
                _counted(item, int(bound) + 1),
                _counted(item, max(0, int(bound) - 1)),
                [item] * (int(bound) + 1),
            ]
    return found


def _maps(schema: Schema, value: Document) -> list[Any]:
    others: list[Any] = ["a", 1, None, [], {}]
    found: list[Any] = [{**value, "zz_other": other} for other in others]
    found += [{k: v for k, v in value.items() if k != name} for name in value]
    for pattern in schema.get("patternProperties", {}):
        name = sample(pattern) or pattern.strip("^$")
        found += [{**value, name: other} for other in BY_TYPE.values()]
    for bound in (schema.get("minProperties"), schema.get("maxProperties")):
        if bound is not None and int(bound) < 1_000:
            found += [{**value, **{f"more{n}": "a" for n in range(max(0, int(bound) + 1 - len(value)))}}]
            found += [dict(islice(value.items(), max(0, int(bound) - 1)))]
    return found
