"""The clauses of a validator, one by one, and the validator without each."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Schema = Mapping[str, Any]
Pointer = tuple[str | int, ...]
#: Keywords that only lead to other schemas, or say nothing that a document can break.
_SILENT = frozenset(
    {"title", "description", "properties", "items", "patternProperties", "dependencies", "required", "allOf"}
)


#: What refuses nothing.
_IDLE = {
    "additionalProperties": True,
    "uniqueItems": False,
    "exclusiveMinimum": False,
    "exclusiveMaximum": False,
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule of a validator. `pointer` leads to its keyword, and with `element` to one entry of its list.

    `path` is the place in a document ("tags.[]" is an element), `operator` what the server calls the rule, `text`
    how a report names it. What stands inside anyOf, oneOf and not is one clause with it.
    """

    pointer: Pointer
    path: tuple[str, ...]
    operator: str
    text: str
    element: Any = None


def clauses(validator: Schema) -> list[Clause]:
    """Every clause, $jsonSchema's and those of query operators, in the order in which they are written."""
    found: list[Clause] = []
    for key, value in validator.items():
        if key == "$jsonSchema":
            found += _of_schema(value, ("$jsonSchema",), ())
        elif key == "$and":
            for number, part in enumerate(value):
                found += [
                    Clause(("$and", number, *c.pointer), c.path, c.operator, c.text, c.element)
                    for c in clauses(part)
                ]
        elif key.startswith("$"):
            found.append(Clause((key,), (), key, f"{key} {_short(value)}"))
        else:
            found += _of_field(key, value)
    return found


def _of_field(name: str, value: Any) -> Iterator[Clause]:
    path = tuple(name.split("."))
    if isinstance(value, Mapping) and next(iter(cast("Schema", value)), "").startswith("$"):
        for operator, operand in cast("Schema", value).items():
            if operator != "$options":
                yield Clause((name, operator), path, operator, f"{name}: {operator} {_short(operand)}")
    else:
        yield Clause((name,), path, "$eq", f"{name}: $eq {_short(value)}")


def _of_schema(schema: Schema, pointer: Pointer, path: tuple[str, ...]) -> Iterator[Clause]:
    place = ".".join(path) or "the document"
    for keyword, value in schema.items():
        here = (*pointer, keyword)
        if keyword == "required":
            for name in value:
                yield Clause(here, (*path, name), "required", f"{'.'.join((*path, name))}: required", name)
        elif keyword == "dependencies":
            for name in value:
                yield Clause((*here, name), path, "dependencies", f"{place}: dependencies of {name}")
        elif _IDLE.get(keyword) is value:
            continue
        elif keyword not in _SILENT:
            yield Clause(here, path, keyword, f"{place}: {keyword} {_short(value)}")
        yield from _below(keyword, value, here, path)


def _below(keyword: str, value: Any, here: Pointer, path: tuple[str, ...]) -> Iterator[Clause]:
    """The clauses of the schemas that a keyword leads to."""
    if keyword in ("properties",):
        for name, inner in value.items():
            yield from _of_schema(inner, (*here, name), (*path, name))
    elif keyword == "items":
        if not isinstance(value, list):
            yield from _of_schema(value, here, (*path, "[]"))
            return
        for number, inner in enumerate(cast("list[Schema]", value)):
            yield from _of_schema(inner, (*here, number), (*path, str(number)))
    elif keyword == "patternProperties":
        for pattern, inner in value.items():
            yield from _of_schema(inner, (*here, pattern), (*path, f"/{pattern}/"))
    elif keyword == "allOf":
        for number, inner in enumerate(value):
            yield from _of_schema(inner, (*here, number), path)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def without(validator: Schema, clause: Clause) -> dict[str, Any]:
    """The validator with one clause taken out; what cannot stand without it goes too."""
    changed: dict[str, Any] = copy.deepcopy(dict(validator))
    parents: list[Any] = [changed]
    for step in clause.pointer[:-1]:
        parents.append(parents[-1][step])
    owner, last = parents[-1], clause.pointer[-1]
    if clause.element is not None:
        rest = [item for item in owner[last] if item != clause.element]
        if rest:
            owner[last] = rest
            return changed
    del owner[last]
    for bound, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if last == bound:
            owner.pop(flag, None)
    if last == "$regex":
        owner.pop("$options", None)
    _pruned(parents, clause.pointer)
    return changed


def _pruned(parents: list[Any], pointer: Pointer) -> None:
    """Takes out what the server does not allow to be empty: dependencies, a field's operators, a part of $and."""
    for depth in range(len(parents) - 1, 0, -1):
        step, owner = pointer[depth - 1], parents[depth - 1]
        empty = not owner[step]
        if not empty or (pointer[0] == "$jsonSchema" and step not in ("dependencies",)):
            return
        if isinstance(owner, dict):
            del owner[step]


def schema_at(validator: Schema, clause: Clause) -> Schema:
    """The schema that holds the clause; {} for a query operator."""
    node: Any = validator
    for step in clause.pointer[:-1]:
        node = node[step]
        if step == "dependencies":
            return cast("Schema", {})
    return cast("Schema", node) if "$jsonSchema" in clause.pointer and isinstance(node, Mapping) else {}
