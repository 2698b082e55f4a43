"""The shape of a collection's documents, from a pydantic model's or a validator's $jsonSchema: which paths exist."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from dbtrust.model.words import nearest

Document = Mapping[str, Any]
#: BSON types that compare with each other are one kind.
_KINDS = {
    "int": "number",
    "long": "number",
    "double": "number",
    "decimal": "number",
    "integer": "number",
    "boolean": "bool",
}
_BY_PYTHON: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (int, "number"), (float, "number"), (decimal.Decimal, "number"), (str, "string"),
    (datetime.datetime, "date"), (bytes, "binData"), (uuid.UUID, "binData"), (list, "array"), (dict, "object"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """`kinds` None: any type. `fields` None: not an object, or one of unknown fields; `closed`: no other fields exist."""

    kinds: frozenset[str] | None = None
    fields: Mapping[str, Shape] | None = None
    closed: bool = False
    items: Shape | None = None
    others: Shape | None = None

    def with_fields(self, more: Mapping[str, Shape]) -> Shape:
        """The same with more fields, or other ones of these names; a dotted name adds to a field within."""
        fields = dict(self.fields or {})
        for name, shape in more.items():
            first, _, rest = name.partition(".")
            fields[first] = fields.get(first, ANYTHING).with_fields({rest: shape}) if rest else shape
        return replace(self, fields=fields)

    def without(self, path: str) -> Shape:
        """The same without one field; what lies deeper is left alone."""
        fields = {name: shape for name, shape in (self.fields or {}).items() if name != path}
        return replace(self, fields=fields) if self.fields is not None else self


ANYTHING = Shape()


class UnknownPath(Exception):
    """A path that the documents do not have; `close` is the nearest one that they have."""

    def __init__(self, path: str, close: str | None) -> None:
        super().__init__(path)
        self.path, self.close = path, close


def shape_of(schema: Document, *, closed: bool) -> Shape:
    """A $jsonSchema as a shape. `closed`: objects with named properties have no others, as those of a model."""
    kinds = schema.get("bsonType", schema.get("type"))
    names = frozenset(_KINDS.get(k, k) for k in ([kinds] if isinstance(kinds, str) else kinds or ()))
    branches = [shape_of(s, closed=closed) for s in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    shape = Shape(names or None)
    if "enum" in schema and not names:
        shape = Shape(frozenset(k for k in map(kind_of, schema["enum"]) if k is not None) or None)
    if "properties" in schema:
        shape = _object(shape, schema, closed)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        shape = replace(shape, others=shape_of(schema["additionalProperties"], closed=closed))
    if isinstance(schema.get("items"), Mapping):
        shape = replace(shape, items=shape_of(schema["items"], closed=closed))
    return _merged([shape, *branches]) if branches else shape


def _object(shape: Shape, schema: Document, closed: bool) -> Shape:
    properties = cast("Mapping[str, Document]", schema["properties"])
    fields = {name: shape_of(s, closed=closed) for name, s in properties.items()}
    extra: Any = schema.get("additionalProperties", not closed)
    others = shape_of(cast("Document", extra), closed=closed) if isinstance(extra, Mapping) else None
    return replace(shape, fields=fields, closed=extra is False, others=others)


def _merged(shapes: list[Shape]) -> Shape:
    """What any of several shapes allows."""
    kinds: set[str] = set()
    fields: dict[str, Shape] = {}
    for shape in shapes:
        kinds |= shape.kinds or set()
        fields |= shape.fields or {}
    items = next((s.items for s in shapes if s.items is not None), None)
    loose = any(s.fields is not None and not s.closed for s in shapes)
    return Shape(frozenset(kinds) or None, fields or None, bool(fields) and not loose, items)


def find(shape: Shape, path: str) -> Shape:
    """What stands at a dotted path: through arrays with or without a place. Raises UnknownPath."""
    here = shape
    for step in path.split("."):
        if re.fullmatch(r"\d+|\$|\$\[\w*\]", step):
            here = here.items or ANYTHING
            continue
        while here.items is not None and here.fields is None:
            here = here.items
        here = _step(here, step, path)
    return here


def _step(here: Shape, step: str, path: str) -> Shape:
    if here.fields is not None and step in here.fields:
        return here.fields[step]
    if here.others is not None:
        return here.others
    if here.closed or (
        here.fields is None and here.kinds is not None and not here.kinds & {"object", "array"}
    ):
        raise UnknownPath(path, nearest(step, list(here.fields or ())))
    return ANYTHING


def kind_of(value: Any) -> str | None:
    """The kind of a value as a driver sends it; None for one that is not known here (and for a regular expression)."""
    if value is None:
        return "null"
    named = {"ObjectId": "objectId", "Decimal128": "number", "Int64": "number", "Binary": "binData"}
    if type(value).__name__ in named:
        return named[type(value).__name__]
    return next((name for kind, name in _BY_PYTHON if isinstance(value, kind)), None)


def can_equal(shape: Shape, value: Any) -> bool:
    """Can a field of this shape, or an element of it, ever compare with the value?"""
    kind = kind_of(value)
    if kind in (None, "null") or shape.kinds is None:
        return True
    if kind in shape.kinds:
        return True
    return "array" in shape.kinds and (shape.items is None or can_equal(shape.items, value))


def empty() -> Shape:
    """Documents without any field, to add computed ones to."""
    return Shape(frozenset({"object"}), {}, closed=True)


@dataclass(slots=True)
class Shapes:
    """Collection -> the shape of its documents; None for one that nothing declares."""

    known: dict[str, Shape] = field(default_factory=dict[str, Shape])

    def of(self, name: str) -> Shape | None:
        return self.known.get(name)
