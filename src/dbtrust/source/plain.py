"""Plain data as the dataclass that describes it, where every value plainly fits; pydantic is not imported.

Whatever does not plainly fit gives None: pydantic, over the same dataclasses, then says what is wrong. So the rules
stand in one place, and a start with a right configuration does not pay for pydantic.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints


class Between(NamedTuple):
    """The whole numbers from `least` up to, and without, `below`."""

    least: int
    below: int

    def fits(self, value: Any) -> bool:
        return self.least <= value < self.below

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "ge": self.least, "lt": self.below}


class NotEmpty:
    """A text of at least one character."""

    def fits(self, value: Any) -> bool:
        return bool(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return {**handler(source), "min_length": 1}


class Unfit(Exception):
    """A value that does not plainly fit."""


def fitted(kind: type[Any], document: Mapping[str, Any]) -> Any:
    """An instance of the dataclass `kind`, or None where something does not plainly fit."""
    try:
        return _instance(kind, document)
    except Unfit:
        return None


def _instance(kind: type[Any], value: Any) -> Any:
    known = {f.name: f for f in fields(kind)}
    if not isinstance(value, Mapping) or cast("Mapping[str, Any]", value).keys() - known.keys():
        raise Unfit
    document = cast("Mapping[str, Any]", value)
    hints = get_type_hints(kind, include_extras=True)
    given = {name: _value(hints[name], item) for name, item in document.items()}
    for name, field in known.items():
        if name not in given and field.default is MISSING and field.default_factory is MISSING:
            raise Unfit
    return kind(**given)


def _value(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        found = _value(inner[0], value)
        if not all(rule.fits(found) for rule in inner[1:]):
            raise Unfit
        return found
    if origin in (Union, types.UnionType):
        return _one_of(inner, value)
    if origin is Literal:
        return _checked(value, any(value is one or value == one for one in inner) and type(value) is str)
    if origin is tuple:
        return tuple(_value(inner[0], item) for item in _checked(value, isinstance(value, list)))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        items = _checked(value, isinstance(value, dict)).items()
        return {name: _value(inner[1], item) for name, item in items}
    return _instance(cast("type[Any]", hint), value) if is_dataclass(hint) else _scalar(hint, value)


def _one_of(hints: tuple[Any, ...], value: Any) -> Any:
    for hint in hints:
        try:
            return _value(hint, value)
        except Unfit:
            continue
    raise Unfit


def _scalar(hint: Any, value: Any) -> Any:
    """Of exactly that type: true is no number here, and 1 no text."""
    if hint is type(None) or hint is None:
        return _checked(value, value is None)
    return _checked(value, type(value) is hint and (hint is not float or math.isfinite(value)))


def _checked(value: Any, fits: bool) -> Any:
    if not fits:
        raise Unfit
    return value
