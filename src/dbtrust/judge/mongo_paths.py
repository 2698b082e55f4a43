"""Which paths filters and expressions name, and with which values they compare them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.judge.mongo_expressions import is_operators
from dbtrust.judge.mongo_shapes import (
    ANYTHING,
    UNKNOWN,
    Document,
    Shape,
    Shapes,
    UnknownPath,
    can_equal,
    can_match_text,
    find,
    kind_of,
)

_COMPARE = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
_LISTS = frozenset({"$in", "$nin", "$all"})
_LOGIC = frozenset({"$and", "$or", "$nor"})
#: Operators of a filter that name no field and hold no comparison.
_PLAIN = frozenset(
    {"$text", "$comment", "$where", "$jsonSchema", "$sampleRate", "$alwaysTrue", "$alwaysFalse"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A path that does not exist, or a value that never matches; `kind` is "path" or "value"."""

    kind: str
    message: str
    next: str


class UnknownStage(Exception):
    """A stage or operator that dbtrust does not know: what follows cannot be judged."""


@dataclass(slots=True)
class Paths:
    """What was found wrong in commands, and what could not be told; `where` is the part that is being read."""

    shapes: Shapes
    faults: list[Fault] = field(default_factory=list[Fault])
    unsure: list[str] = field(default_factory=list[str])
    seen: int = 0
    where: str = ""

    def of(self, collection: str) -> Shape:
        """The shape of another collection that a stage names."""
        shape = self.shapes.of(collection)
        if shape is None:
            self.unsure.append(f"nothing declares the fields of {collection}")
        return shape or UNKNOWN

    def path(self, path: str, shape: Shape) -> Shape:
        """What stands at a path; a fault, once, where nothing does."""
        self.seen += 1
        try:
            return find(shape, path)
        except UnknownPath as error:
            if not error.sure:
                close = f"; {error.close} is declared" if error.close else ""
                self.unsure.append(f"the {self.where} names {path}, which nothing declares{close}")
                return UNKNOWN
            step = (
                f"did you mean {error.close}?"
                if error.close
                else "add it to the model and the validator, or mend the name"
            )
            self.fault("path", f"the {self.where} names {path}, which its documents do not have", step)
            return ANYTHING

    def fault(self, kind: str, message: str, step: str) -> None:
        found = Fault(kind, message, step)
        if found not in self.faults:
            self.faults.append(found)

    def filter(self, condition: Any, shape: Shape) -> None:
        """A query document."""
        for key, value in cast("Document", condition or {}).items():
            if key in _LOGIC:
                for part in value:
                    self.filter(part, shape)
            elif key == "$expr":
                self.expression(value, shape)
            elif key.startswith("$"):
                if key not in _PLAIN:
                    raise UnknownStage(key)
            else:
                self._condition(key, value, self.path(key, shape))

    def _condition(self, path: str, value: Any, shape: Shape) -> None:
        if not is_operators(value):
            self._compare(path, value, shape)
            return
        for operator, operand in cast("Document", value).items():
            if operator in _COMPARE:
                self._compare(path, operand, shape)
            elif operator in _LISTS:
                for item in operand:
                    if is_operators(item):
                        self._condition(path, item, shape)
                    else:
                        self._compare(path, item, shape)
            elif operator == "$not":
                self._condition(path, operand, shape)
            elif operator == "$elemMatch":
                self._elements(path, operand, shape)
            elif operator == "$regex":
                self._text(path, operand, shape)

    def _elements(self, path: str, operand: Any, shape: Shape) -> None:
        if shape.kinds is not None and "array" not in shape.kinds:
            kinds = _said(shape)
            self.fault(
                "value",
                f"the {self.where} looks for elements of {path}, and it holds {kinds}",
                "name an array",
            )
            return
        items = shape.items or (UNKNOWN if shape.vague else ANYTHING)
        if is_operators(operand) and not set(cast("Document", operand)) & _LOGIC:
            self._condition(path, operand, items)
        else:
            self.filter(operand, items)

    def _compare(self, path: str, value: Any, shape: Shape) -> None:
        if isinstance(value, re.Pattern) or type(value).__name__ == "Regex":
            self._text(path, cast("Any", value), shape)
        elif can_equal(shape, value):
            self._names(path, value, shape)
        else:
            kinds = _said(shape)
            message = (
                f"the {self.where} compares {path} with the {kind_of(value)} {value!r}, and it holds {kinds}"
            )
            self.fault("value", message, f"give a value of type {kinds}")

    def _text(self, path: str, pattern: Any, shape: Shape) -> None:
        if not can_match_text(shape):
            kinds = _said(shape)
            message = f"the {self.where} matches {path} with the regular expression {pattern!r}, and it holds {kinds}"
            self.fault("value", message, f"compare it with a value of type {kinds}")

    def _names(self, path: str, value: Any, shape: Shape) -> None:
        """The fields of a document that a filter or an update holds."""
        if isinstance(value, Mapping) and not is_operators(value):
            for name in cast("Document", value):
                inner = shape.items if shape.items is not None and shape.fields is None else shape
                if inner.fields is not None:
                    self._below(path, name, inner)

    def _below(self, path: str, name: str, shape: Shape) -> Shape:
        try:
            return find(shape, name)
        except UnknownPath as error:
            if error.sure:
                step = (
                    f"did you mean {path}.{error.close}?"
                    if error.close
                    else "add it to the model, or mend the name"
                )
                message = f"the {self.where} names {path}.{name}, which its documents do not have"
                self.fault("path", message, step)
            return UNKNOWN

    def value(self, path: str, value: Any, shape: Shape) -> None:
        """A value that a write puts at a path."""
        kind = kind_of(value)
        if kind is not None and shape.kinds is not None and kind not in shape.kinds:
            kinds = _said(shape)
            message = f"the {self.where} sets {path} to the {kind} {value!r}, and it holds {kinds}"
            self.fault("value", message, f"give a value of type {kinds}")
        elif isinstance(value, Mapping) and shape.fields is not None:
            for name, inner in cast("Document", value).items():
                self.value(f"{path}.{name}", inner, self._below(path, name, shape))
        elif isinstance(value, list) and shape.items is not None:
            for item in cast("list[Any]", value):
                self.value(path, item, shape.items)

    def expression(self, value: Any, shape: Shape) -> None:
        """An aggregation expression: every "$path" in it, and the values that it compares one with."""
        if isinstance(value, str):
            for prefix in ("$$ROOT.", "$$CURRENT."):
                if value.startswith(prefix):
                    self.path(value.removeprefix(prefix), shape)
            if value.startswith("$") and not value.startswith("$$") and len(value) > 1:
                self.path(value[1:], shape)
        elif isinstance(value, Mapping):
            for operator, operand in cast("Document", value).items():
                if operator != "$literal":
                    self.expression(operand, shape)
                for path, literal in _compared(operator, operand):
                    self._literal(path, literal, shape)
        elif isinstance(value, list | tuple):
            for item in cast("Sequence[Any]", value):
                self.expression(item, shape)

    def _literal(self, path: str, literal: Any, shape: Shape) -> None:
        try:
            self._compare(path, literal, find(shape, path))
        except UnknownPath:
            return  # `expression` has told it.


def _compared(operator: str, operand: Any) -> Iterator[tuple[str, Any]]:
    """("price", 3) of {"$eq": ["$price", 3]}."""
    if not isinstance(operand, list) or len(cast("list[Any]", operand)) != 2:
        return
    first, second = cast("list[Any]", operand)
    if operator in _COMPARE:
        for path, other in ((first, second), (second, first)):
            if _is_path(path) and _is_literal(other):
                yield path[1:], other
    elif operator == "$in" and _is_path(first) and isinstance(second, list):
        yield from ((first[1:], item) for item in cast("list[Any]", second) if _is_literal(item))


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$") and not value.startswith("$$")


def _is_literal(value: Any) -> bool:
    return not isinstance(value, Mapping | list) and not (isinstance(value, str) and value.startswith("$"))


def _said(shape: Shape) -> str:
    return " or ".join(sorted(shape.kinds or ()))
