"""Do the paths that a MongoDB command names exist, and can its values equal what stands there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.judge.mongo_paths import Fault, Paths, UnknownStage
from dbtrust.judge.mongo_shapes import UNKNOWN, Document, Shape
from dbtrust.judge.mongo_stages import pipeline, projected

__all__ = ["Fault", "Reading", "UnknownStage"]
#: Commands over many collections or with code of their own.
_UNREAD = frozenset({"bulkWrite", "mapReduce", "mapreduce"})
#: Operators of an update whose values are of the field's own type.
_SETS = frozenset({"$set", "$setOnInsert", "$min", "$max"})
_ADDS = frozenset({"$push", "$addToSet"})


@dataclass(slots=True)
class Reading(Paths):
    """What was found wrong in the commands of a method, and what could not be told."""

    def command(self, name: str, command: Document) -> None:
        """Reads one command as the driver sent it."""
        target = command.get(name)
        if name in _UNREAD or (name == "aggregate" and not isinstance(target, str)):
            self.unsure.append(f"{name} is not read by dbtrust")
            return
        parts = list(_parts(name, command))
        if not isinstance(target, str) or not parts:
            return
        shape = self.shapes.of(target)
        if shape is None:
            self.unsure.append(f"nothing declares the fields of {target}")
            return
        for what, value in parts:
            self.where = f"{what} of {name} on {target}"
            try:
                self._part(what, value, shape)
            except UnknownStage as error:
                self.unsure.append(f"{error} in the {self.where} is not known to dbtrust")

    def _part(self, what: str, value: Any, shape: Shape) -> None:
        if what == "filter":
            self.filter(value, shape)
        elif what == "update":
            self._update(value, shape)
        elif what == "document":
            self._document(value, shape)
        elif what == "pipeline":
            pipeline(self, value, shape)
        elif what == "projection":
            projected(self, value, shape)
        else:
            for path, direction in value.items():
                if not isinstance(direction, Mapping):
                    self.path(path, shape)

    def _update(self, update: Any, shape: Shape) -> None:
        if isinstance(update, list):
            self._added(pipeline(self, cast("Sequence[Any]", update), shape), shape)
            return
        document = cast("Document", update or {})
        if not any(key.startswith("$") for key in document):
            self._document(document, shape)
            return
        for operator, fields in document.items():
            for path, value in cast("Document", fields).items():
                self._change(operator, path, value, shape)

    def _change(self, operator: str, path: str, value: Any, shape: Shape) -> None:
        found = self.path(path, shape)
        if operator == "$rename":
            self.path(str(value), shape)
        elif operator in _SETS:
            self.value(path, value, found)
        elif operator in _ADDS and found.items is not None:
            each: Any = cast("Document", value).get("$each") if isinstance(value, Mapping) else None
            added: list[Any] = [value] if each is None else list(each)
            for item in added:
                self.value(path, item, found.items)

    def _document(self, document: Document, shape: Shape) -> None:
        """A document that is written whole; a dot in a key is no path."""
        for name, value in document.items():
            found = self.path(name, shape) if "." not in name else UNKNOWN
            if name != "_id":
                self.value(name, value, found)

    def _added(self, after: Shape, before: Shape) -> None:
        """Fields that the pipeline of an update leaves in the documents."""
        for name in after.fields or ():
            self.path(name, before)


def _parts(name: str, command: Document) -> Iterator[tuple[str, Any]]:
    """(what, value) of a command: "filter", "projection", "sort", "update", "document", "pipeline" or "key"."""
    query = command.get("filter", command.get("query"))
    if query:
        yield "filter", query
    for key, what in (
        ("projection", "projection"),
        ("fields", "projection"),
        ("sort", "sort"),
        ("pipeline", "pipeline"),
    ):
        if command.get(key):
            yield what, command[key]
    if name in ("findAndModify", "findandmodify") and command.get("update"):
        yield "update", command["update"]
    if name == "distinct":
        yield "key", {command["key"]: 1}
    for part in command.get("updates", ()) if name == "update" else ():
        yield "filter", part["q"]
        yield "update", part["u"]
    for part in command.get("deletes", ()) if name == "delete" else ():
        yield "filter", part["q"]
    for document in command.get("documents", ()) if name == "insert" else ():
        yield "document", document
