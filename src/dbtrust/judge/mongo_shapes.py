"""The shape of a collection's documents, from a pydantic model's or a validator's $jsonSchema: which paths exist."""

from __future__ import annotations

import datetime
import decimal
import re
import uuid
from collections.abc import Iterable, Mapping
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
_PLACE = re.compile(r"\d+|\$|\$\[\w*\]")


@dataclass(frozen=True, slots=True)
class Shape:
    """`kinds` None: any type. `fields` None: not an object, or one of unknown fields; `closed`: no other fields exist.

    `vague`: other fields may exist, and nobody declares them: a path to one is neither right nor wrong.
    """

    kinds: frozenset[str] | None = None
    fields: Mapping[str, Shape] | None = None
    closed: bool = False
    items: Shape | None = None
    others: Shape | None = None
    vague: bool = False

    def with_fields(self, more: Mapping[str, Shape]) -> Shape:
        """The same with more fields, or other ones of these names; a dotted name adds to a field within."""
        if self.items is not None and self.fields is None:
            return replace(self, items=self.items.with_fields(more))
        fields = dict(self.fields or {})
        for name, shape in more.items():
            first, _, rest = name.partition(".")
            fields[first] = fields.get(first, UNKNOWN).with_fields({rest: shape}) if rest else shape
        return replace(self, fields=fields)

    def without(self, path: str) -> Shape:
        """The same without one field, through arrays."""
        if self.items is not None and self.fields is None:
            return replace(self, items=self.items.without(path))
        if self.fields is None:
            return self
        first, _, rest = path.partition(".")
        fields = {name: shape for name, shape in self.fields.items() if name != first}
        if rest and first in self.fields:
            fields[first] = self.fields[first].without(rest)
        return replace(self, fields=fields)


#: A value that is declared to be anything.
ANYTHING = Shape()
#: A value of which nothing is known.
UNKNOWN = Shape(vague=True)


class UnknownPath(Exception):
    """A path that the documents do not have (`sure`) or that nobody declares; `close` is the nearest one."""

    def __init__(self, path: str, close: str | None, *, sure: bool = True) -> None:
        super().__init__(path)
        self.path, self.close, self.sure = path, close, sure


def shape_of(schema: Document, *, closed: bool, vague: bool = False) -> Shape:
    """A $jsonSchema as a shape. `closed`: objects with named properties have no others, as those of a model.

    `vague`: what is not named is not known.
    """
    branches = [
        shape_of(s, closed=closed, vague=vague) for s in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    ]
    if branches and "bsonType" not in schema and "properties" not in schema:
        return merged(branches)
    shape = Shape(_kinds(schema))
    if "properties" in schema:
        shape = _object(shape, schema, closed, vague)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        others = shape_of(schema["additionalProperties"], closed=closed, vague=vague)
        shape = replace(shape, others=others)
    if isinstance(schema.get("items"), Mapping):
        shape = replace(shape, items=shape_of(schema["items"], closed=closed, vague=vague))
    return merged([shape, *branches]) if branches else shape


def _kinds(schema: Document) -> frozenset[str] | None:
    kinds = schema.get("bsonType", schema.get("type"))
    if kinds is None and "enum" in schema:
        listed = [kind_of(value) for value in schema["enum"]]
        return frozenset(k for k in listed if k is not None) if None not in listed else None
    names = frozenset(_KINDS.get(k, k) for k in ([kinds] if isinstance(kinds, str) else kinds or ()))
    return names or None


def _object(shape: Shape, schema: Document, closed: bool, vague: bool) -> Shape:
    properties = cast("Mapping[str, Document]", schema["properties"])
    fields = {name: shape_of(s, closed=closed, vague=vague) for name, s in properties.items()}
    extra: Any = schema.get("additionalProperties", not closed)
    others = (
        shape_of(cast("Document", extra), closed=closed, vague=vague) if isinstance(extra, Mapping) else None
    )
    return replace(shape, fields=fields, closed=extra is False, others=others, vague=vague and extra is True)


def merged(shapes: Iterable[Shape]) -> Shape:
    """What any of several shapes allows."""
    found = list(shapes)
    if len(found) == 1:
        return found[0]
    kinds = (
        None if any(s.kinds is None for s in found) else frozenset(k for s in found for k in s.kinds or ())
    )
    objects = [s for s in found if s.fields is not None]
    names = {name for s in objects for name in s.fields or {}}
    fields = {n: merged([(s.fields or {})[n] for s in objects if n in (s.fields or {})]) for n in names}
    items, others = (
        [s for s in each if s is not None] for each in zip(*((s.items, s.others) for s in found), strict=True)
    )
    return Shape(
        kinds, fields if objects else None, bool(objects) and all(s.closed for s in objects) and not _open(found),
        merged(items) if items else None, merged(others) if others else None, any(s.vague for s in found),
    )  # fmt: skip


def _open(shapes: Iterable[Shape]) -> bool:
    """May one of them be an object of any fields?"""
    return any(s.fields is None and (s.kinds is None or "object" in s.kinds) for s in shapes)


def find(shape: Shape, path: str) -> Shape:
    """What stands at a dotted path: through arrays with or without a place. Raises UnknownPath."""
    here = shape
    for step in path.split("."):
        if _PLACE.fullmatch(step) and step not in (here.fields or {}):
            if here.items is not None:
                here = here.items
                continue
            if here.kinds is not None and "array" in here.kinds:
                here = ANYTHING
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
    close = nearest(step, list(here.fields or ()))
    if here.closed or (
        here.fields is None and here.kinds is not None and not here.kinds & {"object", "array"}
    ):
        raise UnknownPath(path, close)
    if here.vague:
        raise UnknownPath(path, close, sure=False)
    return ANYTHING


def through_array(shape: Shape, path: str) -> bool:
    """Does an expression "$path" give a list, because the path leads through an array?"""
    here = shape
    for step in path.split(".")[:-1]:
        try:
            here = find(here, step)
        except UnknownPath:
            return False
        if here.kinds is None or "array" in here.kinds:
            return True
    return False


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
    if kind == "array" and "array" in shape.kinds and shape.items is not None:
        return all(can_equal(shape.items, item) for item in value)
    if kind in shape.kinds:
        return True
    return "array" in shape.kinds and (shape.items is None or can_equal(shape.items, value))


def can_match_text(shape: Shape) -> bool:
    """Can a regular expression ever match a field of this shape, or an element of it?"""
    if shape.kinds is None or "string" in shape.kinds:
        return True
    return "array" in shape.kinds and (shape.items is None or can_match_text(shape.items))


def empty() -> Shape:
    """Documents without any field, to add computed ones to."""
    return Shape(frozenset({"object"}), {}, closed=True)


def array_of(items: Shape) -> Shape:
    return Shape(frozenset({"array"}), items=items)


@dataclass(slots=True)
class Shapes:
    """Collection -> the shape of its documents; None for one that nothing declares."""

    known: dict[str, Shape] = field(default_factory=dict[str, Shape])

    def of(self, name: str) -> Shape | None:
        return self.known.get(name)
