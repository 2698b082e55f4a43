"""Arguments for a MongoDB method that has no example: frequent, rare and absent ones, from the documents.

MongoDB keeps no statistics of values. The method runs once with marked values, its commands tell which field each
is compared with, and a sample of that field's values is drawn from.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pymongo.errors
from pymongo.database import Database

from dbtrust.judge.drawing import Kind
from dbtrust.judge.mongo_uses import Use, choose, element_of, marked, use_of
from dbtrust.model.project import Example
from dbtrust.source.objects import MongoMethod

KINDS: tuple[Kind, ...] = ("common", "rare", "absent")
_SAMPLE, _LIMIT_MS = 2_000, 5_000


def draw(
    method: MongoMethod, db: Database[Any], commands_of: typing.Callable[[Mapping[str, Any]], list[Any]]
) -> tuple[list[Example], str]:
    """Examples of each kind, equal ones once; where an annotation has no such value or the run fails none, and why.

    `commands_of` runs the method with values and gives the commands that it sent.
    """
    marks, unmarked = _marks(method)
    if unmarked:
        return [], unmarked
    try:
        commands = [recorded.command for recorded in commands_of(marks)]
    except Exception as error:  # the method's own code, with values that nobody planned for
        return [], f"with made-up values it fails with {type(error).__name__}"
    uses = {name: use_of(commands, mark) for name, mark in marks.items()}
    pools = {name: list(_values(db, use)) if use else [] for name, use in uses.items()}
    found: dict[str, Example] = {}
    for kind in KINDS:
        values = {name: _value(mark, uses[name], pools[name], kind) for name, mark in marks.items()}
        said = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        found.setdefault(said, Example(f"drawn {kind}: {said}", method.location, values=values))
    return list(found.values()), ""


def _marks(method: MongoMethod) -> tuple[dict[str, Any], str]:
    """A marked value for each parameter without a default, and which one has no type that can be marked."""
    try:
        hints = typing.get_type_hints(getattr(method.owner, method.name))
    except Exception:  # contract.parameters tells of them
        return {}, "its annotations cannot be read"
    found = {name: marked(hints.get(name), number) for number, name in enumerate(method.parameters)}
    for name, mark in found.items():
        if mark is None:
            kind = (
                getattr(hints.get(name), "__name__", str(hints[name])) if name in hints else "no annotation"
            )
            return {}, f"no value can be drawn for the parameter {name} ({kind})"
    return found, ""


def _value(mark: Any, use: Use | None, pool: list[Any], kind: Kind) -> Any:
    inner = element_of(mark)
    value = choose(pool, use.operator, kind, inner) if use is not None else inner
    return [value] if isinstance(mark, list) else value


def _values(db: Database[Any], use: Use) -> Iterator[Any]:
    """A sample of a field's values; an array gives its elements."""
    if not use.path:
        return
    stages: list[Mapping[str, Any]] = [
        {"$sample": {"size": _SAMPLE}},
        {"$project": {"_id": 0, "v": f"${use.path}"}},
    ]
    try:
        for document in db[use.collection].aggregate(stages, maxTimeMS=_LIMIT_MS):
            value: Any = document.get("v")
            yield from cast("list[Any]", value) if isinstance(value, list) else [value]
    except pymongo.errors.PyMongoError:
        return
