"""Do the paths that a MongoDB command names exist, and can its values equal what stands there?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from dbtrust.judge.mongo_shapes import (
    ANYTHING,
    Document,
    Shape,
    Shapes,
    UnknownPath,
    can_equal,
    empty,
    find,
    kind_of,
)

_COMPARE = frozenset({"$eq", "$gt", "$gte", "$lt", "$lte"})
_LISTS = frozenset({"$in", "$all"})
_LOGIC = frozenset({"$and", "$or", "$nor"})
#: Operators of a filter that name no field and hold no comparison.
_PLAIN = frozenset(
    {"$text", "$comment", "$where", "$jsonSchema", "$sampleRate", "$alwaysTrue", "$alwaysFalse"}
)
_SAME = frozenset({"$limit", "$skip", "$sample", "$out", "$merge", "$redact", "$indexStats", "$listSessions"})
_OPEN = frozenset(
    {"$densify", "$fill", "$search", "$searchMeta", "$vectorSearch", "$collStats", "$currentOp", "$documents"}
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
class Reading:
    """What was found wrong in the commands of a method, and what could not be told."""

    shapes: Shapes
    faults: list[Fault] = field(default_factory=list[Fault])
    unsure: list[str] = field(default_factory=list[str])
    seen: int = 0
    _where: str = ""

    def command(self, name: str, command: Document) -> None:
        """Reads one command as the driver sent it."""
        target = command.get(name)
        parts = list(_parts(name, command))
        if not isinstance(target, str) or not parts:
            return
        shape = self.shapes.of(target)
        if shape is None:
            self.unsure.append(f"nothing declares the fields of {target}")
            return
        for what, value in parts:
            self._where = f"{what} of {name} on {target}"
            try:
                self._part(what, value, shape)
            except UnknownStage as error:
                self.unsure.append(f"{error} in the {self._where} is not known to dbtrust")

    def _part(self, what: str, value: Any, shape: Shape) -> None:
        if what == "filter":
            self.filter(value, shape)
        elif what == "update":
            self._update(value, shape)
        elif what == "pipeline":
            self.pipeline(value, shape)
        elif what == "projection":
            self._project(value, shape)
        else:
            for path, direction in value.items():
                if not isinstance(direction, Mapping):
                    self.path(path, shape)

    def path(self, path: str, shape: Shape) -> Shape:
        """What stands at a path; a fault, once, where nothing does."""
        self.seen += 1
        try:
            return find(shape, path)
        except UnknownPath as error:
            step = (
                f"did you mean {error.close}?"
                if error.close
                else "add it to the model and the validator, or mend the name"
            )
            fault = Fault("path", f"the {self._where} names {path}, which its documents do not have", step)
            if fault not in self.faults:
                self.faults.append(fault)
            return ANYTHING

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
        if not _is_operators(value):
            self._compare(path, value, shape)
            return
        for operator, operand in cast("Document", value).items():
            if operator in _COMPARE:
                self._compare(path, operand, shape)
            elif operator in _LISTS:
                for item in operand:
                    if not _is_operators(item):
                        self._compare(path, item, shape)
            elif operator == "$not":
                self._condition(path, operand, shape)
            elif operator == "$elemMatch":
                self._elements(path, operand, shape)

    def _elements(self, path: str, operand: Any, shape: Shape) -> None:
        items = shape.items or ANYTHING
        if _is_operators(operand) and not set(cast("Document", operand)) & _LOGIC:
            self._condition(path, operand, items)
        else:
            self.filter(operand, items)

    def _compare(self, path: str, value: Any, shape: Shape) -> None:
        if can_equal(shape, value):
            return
        kinds = " or ".join(sorted(shape.kinds or ()))
        message = (
            f"the {self._where} compares {path} with the {kind_of(value)} {value!r}, and it holds {kinds}"
        )
        self.faults.append(Fault("value", message, f"give a value of type {kinds}"))

    def _project(self, projection: Any, shape: Shape) -> None:
        for path, value in cast("Document", projection or {}).items():
            if isinstance(value, Mapping) and set(cast("Document", value)) & {"$slice", "$elemMatch"}:
                self.path(path, shape)
            elif isinstance(value, bool | int | float):
                self.path(path.removesuffix(".$"), shape)
            else:
                self.expression(value, shape)

    def _update(self, update: Any, shape: Shape) -> None:
        if isinstance(update, list):
            self.pipeline(cast("Sequence[Any]", update), shape)
            return
        document = cast("Document", update or {})
        if not any(key.startswith("$") for key in document):
            for name in document:
                self.path(name, shape)
            return
        for operator, fields in document.items():
            for path, value in cast("Document", fields).items():
                found = self.path(path, shape)
                if operator == "$rename":
                    self.path(str(value), shape)
                elif operator in ("$set", "$setOnInsert"):
                    self._set(path, value, found)

    def _set(self, path: str, value: Any, shape: Shape) -> None:
        kind = kind_of(value)
        if kind is not None and shape.kinds is not None and kind not in shape.kinds:
            kinds = " or ".join(sorted(shape.kinds))
            message = f"the {self._where} sets {path} to the {kind} {value!r}, and it holds {kinds}"
            self.faults.append(Fault("value", message, f"give a value of type {kinds}"))

    def expression(self, value: Any, shape: Shape) -> None:
        """An aggregation expression: every "$path" in it."""
        if isinstance(value, str):
            for prefix in ("$$ROOT.", "$$CURRENT."):
                if value.startswith(prefix):
                    self.path(value.removeprefix(prefix), shape)
            if value.startswith("$") and not value.startswith("$$"):
                self.path(value[1:], shape)
        elif isinstance(value, Mapping):
            for operator, operand in cast("Document", value).items():
                if operator != "$literal":
                    self.expression(operand, shape)
        elif isinstance(value, list | tuple):
            for item in cast("Sequence[Any]", value):
                self.expression(item, shape)

    def pipeline(self, stages: Sequence[Any], shape: Shape) -> Shape:
        """The shape of what comes out. Raises UnknownStage."""
        for stage in stages:
            for name, body in cast("Document", stage).items():
                if name in _SAME:
                    continue
                if name in _OPEN:
                    shape = ANYTHING
                elif name in _STAGES:
                    shape = _STAGES[name](self, body, shape)
                else:
                    raise UnknownStage(name)
        return shape


def _parts(name: str, command: Document) -> Iterator[tuple[str, Any]]:
    """(what, value) of a command: what is "filter", "projection", "sort", "update", "pipeline" or "keys"."""
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


def _is_operators(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    document = cast("Document", value)
    return bool(document) and all(str(key).startswith("$") for key in document)


Stage = Callable[[Reading, Any, Shape], Shape]


def _match(reading: Reading, body: Any, shape: Shape) -> Shape:
    reading.filter(body, shape)
    return shape


def _sort(reading: Reading, body: Any, shape: Shape) -> Shape:
    for path, direction in cast("Document", body).items():
        if not isinstance(direction, Mapping):
            reading.path(path, shape)
    return shape


def _project_stage(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    excluded = all(value in (0, False) for name, value in document.items() if name != "_id")
    result = empty().with_fields({"_id": ANYTHING})
    for path, value in document.items():
        if isinstance(value, bool | int | float):
            found = reading.path(path, shape)
            result = result.with_fields({path: found}) if value else result.without(path)
        else:
            reading.expression(value, shape)
            result = result.with_fields({path: _of_expression(value, shape)})
    return shape if excluded else result


def _of_expression(value: Any, shape: Shape) -> Shape:
    """A plain "$path" keeps its shape; another expression may be anything."""
    if isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
        try:
            return find(shape, value[1:])
        except UnknownPath:
            return ANYTHING
    return ANYTHING


def _add(reading: Reading, body: Any, shape: Shape) -> Shape:
    for value in cast("Document", body).values():
        reading.expression(value, shape)
    return shape.with_fields(
        {name: _of_expression(value, shape) for name, value in cast("Document", body).items()}
    )


def _unset(reading: Reading, body: Any, shape: Shape) -> Shape:
    for path in [body] if isinstance(body, str) else body:
        reading.path(path, shape)
        shape = shape.without(path)
    return shape


def _group(reading: Reading, body: Any, shape: Shape) -> Shape:
    fields: dict[str, Shape] = {}
    for name, value in cast("Document", body).items():
        reading.expression(value, shape)
        keys: Document = cast("Document", value) if name == "_id" and isinstance(value, Mapping) else {}
        plain = bool(keys) and not any(key.startswith("$") for key in keys)
        inner = empty().with_fields({k: _of_expression(v, shape) for k, v in keys.items()}) if plain else None
        fields[name] = inner or (_of_expression(value, shape) if name == "_id" else ANYTHING)
    return empty().with_fields(fields)


def _unwind(reading: Reading, body: Any, shape: Shape) -> Shape:
    document: Document = {"path": body} if isinstance(body, str) else body
    path = str(document["path"]).removeprefix("$")
    items = reading.path(path, shape).items
    shape = shape.with_fields({path: items or ANYTHING})
    place = document.get("includeArrayIndex")
    return shape.with_fields({place: ANYTHING}) if place else shape


def _lookup(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    foreign = reading.shapes.of(str(document.get("from"))) or ANYTHING
    if "localField" in document:
        reading.path(document["localField"], shape)
        reading.path(document["foreignField"], foreign)
    for value in cast("Document", document.get("let", {})).values():
        reading.expression(value, shape)
    result = reading.pipeline(document.get("pipeline", ()), foreign)
    return shape.with_fields({document["as"]: Shape(frozenset({"array"}), items=result)})


def _count(reading: Reading, body: Any, shape: Shape) -> Shape:
    return empty().with_fields({str(body): ANYTHING})


def _facet(reading: Reading, body: Any, shape: Shape) -> Shape:
    results = {name: reading.pipeline(stages, shape) for name, stages in cast("Document", body).items()}
    return empty().with_fields({n: Shape(frozenset({"array"}), items=s) for n, s in results.items()})


def _replace(reading: Reading, body: Any, shape: Shape) -> Shape:
    value: Any = cast("Document", body).get("newRoot", body) if isinstance(body, Mapping) else body
    reading.expression(value, shape)
    return _of_expression(value, shape)


def _union(reading: Reading, body: Any, shape: Shape) -> Shape:
    document: Document = {"coll": body} if isinstance(body, str) else body
    reading.pipeline(document.get("pipeline", ()), reading.shapes.of(str(document.get("coll"))) or ANYTHING)
    return ANYTHING


def _sort_by_count(reading: Reading, body: Any, shape: Shape) -> Shape:
    reading.expression(body, shape)
    return empty().with_fields({"_id": ANYTHING, "count": ANYTHING})


def _bucket(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document["groupBy"], shape)
    output = cast("Document", document.get("output", {"count": 1}))
    reading.expression(output, shape)
    return empty().with_fields(dict.fromkeys(("_id", *output), ANYTHING))


def _windows(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document.get("partitionBy"), shape)
    _sort(reading, document.get("sortBy", {}), shape)
    output = cast("Document", document.get("output", {}))
    for value in output.values():
        reading.expression({k: v for k, v in value.items() if k != "window"}, shape)
    return shape.with_fields(dict.fromkeys(output, ANYTHING))


def _near(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.filter(document.get("query", {}), shape)
    return shape.with_fields({document["distanceField"]: ANYTHING} if "distanceField" in document else {})


def _graph(reading: Reading, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document.get("startWith"), shape)
    foreign = reading.shapes.of(str(document.get("from"))) or ANYTHING
    for key in ("connectFromField", "connectToField"):
        reading.path(str(document[key]), foreign)
    return shape.with_fields({document["as"]: Shape(frozenset({"array"}), items=foreign)})


_STAGES: dict[str, Stage] = {
    "$match": _match, "$sort": _sort, "$project": _project_stage, "$addFields": _add, "$set": _add, "$unset": _unset,
    "$group": _group, "$unwind": _unwind, "$lookup": _lookup, "$count": _count, "$facet": _facet,
    "$replaceRoot": _replace, "$replaceWith": _replace, "$unionWith": _union, "$sortByCount": _sort_by_count,
    "$bucket": _bucket, "$bucketAuto": _bucket, "$setWindowFields": _windows, "$geoNear": _near, "$graphLookup": _graph,
}  # fmt: skip
