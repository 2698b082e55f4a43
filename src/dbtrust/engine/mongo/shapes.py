"""The shape of an operation: its command with every literal taken out, so that the same query is one row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bson import json_util

Document = Mapping[str, Any]
LITERAL = "?"
LEFT_OUT = "(left out: the server kept only the beginning of the command)"
#: How the text of a command that was cut begins: { find: "items", …
_BEGUN = re.compile(r"\{ (\w+): ")
_DEEPEST, _WIDEST, _LONGEST = 12, 60, 1500
#: An expression's path or variable: "$qty", "$$ROOT.a". A literal of that form stands only in a filter.
_PATH = re.compile(r"\$\$?[A-Za-z_][\w.]*\Z")
#: What tells one query from another; all else (lsid, limit, batchSize, readConcern …) does not.
_FILTERS = ("filter", "query", "q")
_PLAIN = ("sort", "projection", "fields", "hint")
_WRITES = ("update", "u")
_NAMES = {"findandmodify": "findAndModify", "remove": "delete"}
#: Members of $lookup, $graphLookup, $unionWith, $merge and $out whose strings are names.
_NAMING = frozenset({
    "from", "as", "localField", "foreignField", "connectFromField", "connectToField", "depthField", "coll", "db",
    "into", "on", "whenMatched", "whenNotMatched",
})  # fmt: skip
_OPERATIONS = ("find", "aggregate", "count", "distinct", "findAndModify", "findandmodify", "update", "delete")


def operation(command: Document, kind: str = "") -> str:
    """find, aggregate, update …; `kind` is the log's `type` or the profiler's `op`, which tells bare statements."""
    if kind in ("update", "remove", "insert"):
        return _NAMES.get(kind, kind)
    if (text := cut_text(command)) is not None:
        begun = _BEGUN.match(text)
        return _NAMES.get(begun[1], begun[1]) if begun else kind
    name = next(iter(command), "")
    return _NAMES.get(name, name) if name else kind


def is_query(name: str) -> bool:
    """Does the operation look for documents?"""
    return name in _OPERATIONS


def cut_text(command: Document) -> str | None:
    """What the server keeps of a command of more than 50 kB: the beginning of a text that quotes nothing."""
    text = command.get("$truncated")
    return text if isinstance(text, str) else None


def shape(command: Document) -> str:
    """The command's filter, sort, projection, pipeline, update as JSON text without literals.

    Names of fields and operators stay; strings, numbers, dates and all other values are "?". At most 1,500
    characters. Of a command that the server cut there is none: its keys and values cannot be told apart.
    """
    if cut_text(command) is not None:
        return LEFT_OUT
    parts: dict[str, Any] = {}
    for key in _FILTERS:
        if command.get(key):
            parts["filter"] = _filter(command[key], 0)
    for key in _PLAIN:
        if command.get(key):
            parts[key] = _directions(command[key])
    if isinstance(command.get("key"), str):
        parts["key"] = command["key"]
    if isinstance(command.get("pipeline"), Sequence):
        parts["pipeline"] = [_stage(stage, 0) for stage in command["pipeline"]]
    for key in _WRITES:
        if isinstance(command.get(key), (Mapping, list)):
            parts["update"] = _filter(command[key], 0)
    return cut(json_util.dumps(parts, json_options=json_util.RELAXED_JSON_OPTIONS))


def filter_shape(value: Document) -> str:
    """A match document alone, as JSON text without literals."""
    return cut(json_util.dumps(_filter(value, 0), json_options=json_util.RELAXED_JSON_OPTIONS))


def cut(text: str) -> str:
    """At most so much of it as a report shows."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def literal_text(command: Document) -> str:
    """The command with its literals, for who asked for them."""
    kept = {k: v for k, v in command.items() if not k.startswith("$") and k not in ("lsid", "txnNumber")}
    try:
        return cut(json_util.dumps(kept, json_options=json_util.RELAXED_JSON_OPTIONS))
    except (TypeError, ValueError, OverflowError):
        return cut(repr(kept))


def _filter(value: Any, depth: int) -> Any:
    """A match document or an update: keys stay, values go; lists of documents keep one of each shape."""
    if depth > _DEEPEST:
        return LITERAL
    if isinstance(value, Mapping):
        inner = cast("Document", value)
        return {k: _filter_part(k, v, depth) for k, v in list(inner.items())[:_WIDEST]}
    if isinstance(value, list):
        return _distinct([_filter(item, depth + 1) for item in cast("list[Any]", value)[:_WIDEST]])
    return LITERAL


def _filter_part(key: str, value: Any, depth: int) -> Any:
    if key == "$expr":
        return _expression(value, depth + 1)
    if key in ("$jsonSchema", "$geometry", "$box", "$polygon"):
        return LITERAL
    return _filter(value, depth + 1)


def _stage(stage: Any, depth: int) -> Any:
    if not isinstance(stage, Mapping) or depth > _DEEPEST:
        return LITERAL
    return {k: _stage_part(str(k), v, depth) for k, v in cast("Document", stage).items()}


def _stage_part(name: str, value: Any, depth: int) -> Any:
    if name in ("$match", "query", "filter", "restrictSearchWithMatch"):
        return _filter(value, depth + 1)
    if name in ("$lookup", "$graphLookup", "$unionWith", "$merge", "$out"):
        return _named(value, depth)
    if name == "$facet" and isinstance(value, Mapping):
        facets = cast("Document", value)
        return {k: [_stage(s, depth + 1) for s in pipe] for k, pipe in facets.items()}
    if name in ("$sort", "$unset"):
        return _directions(value)
    return _expression(value, depth + 1)


def _named(value: Any, depth: int) -> Any:
    """A stage that names collections and fields as plain strings."""
    if isinstance(value, str) or not isinstance(value, Mapping):
        return value if isinstance(value, str) else LITERAL
    parts: dict[str, Any] = {}
    for key, inner in cast("Document", value).items():
        if key == "pipeline" and isinstance(inner, list):
            parts[key] = [_stage(stage, depth + 1) for stage in cast("list[Any]", inner)]
        elif isinstance(inner, str) and key in _NAMING:
            parts[key] = inner
        elif key == "startWith":
            parts[key] = _expression(inner, depth + 1)
        else:
            parts[key] = _filter(inner, depth + 1)
    return parts


def _expression(value: Any, depth: int) -> Any:
    """An aggregation expression: paths such as "$qty" stay."""
    if depth > _DEEPEST:
        return LITERAL
    if isinstance(value, Mapping):
        return {
            k: LITERAL
            if k == "$literal"
            else _filter(v, depth + 1)
            if k == "query"
            else _expression(v, depth + 1)
            for k, v in list(cast("Document", value).items())[:_WIDEST]
        }
    if isinstance(value, list):
        return [_expression(item, depth + 1) for item in cast("list[Any]", value)[:_WIDEST]]
    return value if isinstance(value, str) and _PATH.match(value) else LITERAL


def _directions(value: Any) -> Any:
    """Sort, projection, hint: 1, -1, 0 and true are no literals; the name of an index is none either."""
    if isinstance(value, Mapping):
        parts = cast("Document", value)
        return {k: v if v in (1, -1, 0) else _expression(v, 1) for k, v in list(parts.items())[:_WIDEST]}
    return value if isinstance(value, str) else LITERAL


def _distinct(items: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept
