"""Documents around a valid one that may break one clause of a validator; the server finds those that do."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from itertools import combinations, islice, product
from typing import Any, cast

from dbtrust.judge.candidates import sample
from dbtrust.judge.mongo_clauses import Clause, schema_at
from dbtrust.judge.mongo_documents import BY_TYPE, Document, around, documents

#: So many documents are made for one clause.
CANDIDATES = 400
_FIELD = re.compile(r"^\$([A-Za-z_][\w.]*)$")


def parts_of(validator: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The conditions that must all be true, those of $jsonSchema first and those over several fields last."""
    found: list[dict[str, Any]] = []
    for key, value in validator.items():
        found += [part for inner in value for part in parts_of(inner)] if key == "$and" else [{key: value}]
    return sorted(found, key=lambda part: _ORDER.get(next(iter(part)), 1))


_ORDER = {"$jsonSchema": 0, "$expr": 3, "$or": 2, "$nor": 2}


def starting_points(validator: Mapping[str, Any]) -> list[Document]:
    """Documents that $jsonSchema may accept, the fullest first; an empty one where there is none."""
    schemas = [part["$jsonSchema"] for part in parts_of(validator) if "$jsonSchema" in part]
    return [d for schema in schemas for d in documents(schema)] or [{}]


def variants(document: Document, part: Mapping[str, Any]) -> Iterator[Document]:
    """The document with what a condition speaks of set to values that may satisfy it; one field, then two."""
    fields = [tuple(name.split(".")) for name in spoken_of(part)]
    pool = [*islice(constants(part), 60), *BY_TYPE.values()]
    pool += [text for value in pool if isinstance(value, str) and (text := sample(value)) is not None]
    yield document
    for path in fields:
        yield from (put(document, path, value) for value in pool)
    for first, second in combinations(fields[:5], 2):
        for left, right in product(pool[:18], pool[:18]):
            yield put(put(document, first, left), second, right)


def spoken_of(node: object) -> list[str]:
    """The fields that a match expression or an $expr names."""
    found: list[str] = []
    if isinstance(node, Mapping):
        for key, value in cast("Mapping[str, Any]", node).items():
            found += [key] if not key.startswith("$") and key and re.match(r"^[A-Za-z_]", key) else []
            found += spoken_of(value)
    elif isinstance(node, list):
        found += [name for item in cast("list[Any]", node) for name in spoken_of(item)]
    elif isinstance(node, str) and (match := _FIELD.match(node)):
        found.append(match[1])
    return list(dict.fromkeys(found))


def constants(node: object) -> Iterator[Any]:
    """The constants of an expression with their neighbours."""
    if isinstance(node, Mapping):
        for value in cast("Mapping[str, Any]", node).values():
            yield from constants(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from constants(item)
    elif isinstance(node, (int, float)) and not isinstance(node, bool):
        yield from (node, node + 1, node - 1)
    elif not (isinstance(node, str) and node.startswith("$")):
        yield node


def breaking(validator: Mapping[str, Any], clause: Clause, valid: Document) -> list[Document]:
    """Documents with one place changed, which the clause may refuse."""
    if clause.operator == "required":
        return [removed(valid, clause.path)]
    if clause.path == () and clause.operator.startswith("$"):
        node: Any = validator
        for step in clause.pointer:
            node = node[step]
        fields, pool = spoken_of(node), list(islice(constants(node), 40))
        places = [tuple(name.split(".")) for name in fields]
        changes = [
            (place, value) for place in places for value in (*pool, *BY_TYPE.values(), 10**6, -(10**6))
        ]
        singles = [put(valid, place, value) for place, value in changes]
        return [*singles, *(removed(valid, place) for place in places)][:CANDIDATES]
    return _at_place(validator, clause, valid)


def _at_place(validator: Mapping[str, Any], clause: Clause, valid: Document) -> list[Document]:
    current = _get(valid, clause.path)
    schema = schema_at(validator, clause)
    pool: list[Any] = []
    if clause.operator.startswith("$"):
        node: Any = validator
        for step in clause.pointer:
            node = node[step]
        pool = list(islice(constants(node), 40))
    found = [
        put(valid, clause.path, value) for value in (*pool, *around(schema, current)) if value is not None
    ]
    found += [removed(valid, clause.path)] if clause.path else []
    found.append(put(valid, clause.path, None))
    return found[:CANDIDATES]


def _get(document: object, path: tuple[str, ...]) -> Any:
    for step in path:
        key = _step(document, step)
        if key is None:
            return None
        document = cast("Any", document)[key]
    return document


def _step(document: object, step: str) -> str | int | None:
    """The key of a step: "[]" is the first element, "/pattern/" the first name that matches."""
    if isinstance(document, list):
        number = 0 if step == "[]" else int(step) if step.isdigit() else None
        return number if number is not None and number < len(cast("list[Any]", document)) else None
    if not isinstance(document, dict):
        return None
    names = cast("Document", document)
    if len(step) > 1 and step.startswith("/") and step.endswith("/"):
        return next((name for name in names if re.search(step[1:-1], name)), None)
    return step if step in names else None


def put(document: Document, path: tuple[str, ...] | list[str], value: Any) -> Document:
    """A copy with the value at a path; documents on the way are made."""
    if not path:
        return copy.deepcopy(cast("Document", value)) if isinstance(value, dict) else document
    changed = copy.deepcopy(document)
    owner: Any = changed
    for step in path[:-1]:
        key = _step(owner, step)
        if key is None:
            if not isinstance(owner, dict):
                return changed
            key = step
            cast("Document", owner)[key] = {}
        owner = cast("Any", owner)[key]
    last = _step(cast("object", owner), path[-1])
    if last is None and isinstance(owner, dict):
        last = path[-1]
    if last is not None:
        cast("Any", owner)[last] = copy.deepcopy(value)
    return changed


def removed(document: Document, path: tuple[str, ...]) -> Document:
    """A copy without what is at a path."""
    changed = copy.deepcopy(document)
    node: Any = _get(changed, path[:-1])
    last = _step(node, path[-1])
    if last is not None:
        del node[last]
    return changed
