"""What each stage of a pipeline reads, and the shape of what it passes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from dbtrust.judge.mongo_expressions import is_operators, result
from dbtrust.judge.mongo_paths import Paths, UnknownStage
from dbtrust.judge.mongo_shapes import (
    ANYTHING,
    UNKNOWN,
    Document,
    Shape,
    array_of,
    empty,
    merged,
)

#: Stages that pass documents on as they are and name no path.
SAME = frozenset({"$limit", "$skip", "$sample", "$out", "$merge"})
#: Stages that begin with documents of the server's own.
_OWN = frozenset(
    {"$indexStats", "$listSessions", "$collStats", "$currentOp", "$planCacheStats", "$documents"}
)
Stage = Callable[[Paths, Any, Shape], Shape]
_NUMBER = Shape(frozenset({"number"}))


def pipeline(reading: Paths, stages: Sequence[Any], shape: Shape) -> Shape:
    """Reads a pipeline over documents of `shape`; the shape of what comes out. Raises UnknownStage."""
    for stage in stages:
        for name, body in cast("Document", stage).items():
            if name in SAME:
                continue
            if name in _OWN:
                shape = UNKNOWN
            elif name in _STAGES:
                shape = _STAGES[name](reading, body, shape)
            else:
                raise UnknownStage(name)
    return shape


def projected(reading: Paths, projection: Any, shape: Shape) -> Shape:
    """Reads the projection of a find or a $project; the shape that it leaves."""
    tree: dict[str, Any] = {}
    excluded: list[str] = []
    for path, value in _flat(cast("Document", projection or {})):
        if isinstance(value, bool | int | float):
            reading.path(path.removesuffix(".$"), shape)
            if not value:
                excluded.append(path)
                continue
            kept: Any = True
        elif isinstance(value, Mapping) and set(cast("Document", value)) & {"$slice", "$elemMatch", "$meta"}:
            if "$meta" not in value:
                reading.path(path, shape)
            kept = UNKNOWN if "$meta" in value else True
        else:
            reading.expression(value, shape)
            kept = result(value, shape)
        _plant(tree, path.removesuffix(".$").split("."), kept)
    if not tree:
        for path in excluded:
            shape = shape.without(path)
        return shape
    return _included(shape, tree if "_id" in excluded else {"_id": True, **tree})


def _flat(document: Document, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and what is said of them: {"a": {"b": 1}} is {"a.b": 1}."""
    for name, value in document.items():
        if isinstance(value, Mapping) and value and not is_operators(value):
            yield from _flat(cast("Document", value), f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _plant(tree: dict[str, Any], steps: list[str], kept: Any) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        tree = cast("dict[str, Any]", inner)
    tree[steps[-1]] = kept


def _included(shape: Shape, tree: Mapping[str, Any]) -> Shape:
    fields: dict[str, Shape] = {}
    for name, kept in tree.items():
        found = _child(shape, name)
        if isinstance(kept, Shape):
            fields[name] = kept
        elif kept is True:
            fields[name] = found
        elif found.items is not None and found.fields is None:
            fields[name] = array_of(_included(found.items, kept))
        else:
            fields[name] = _included(found, kept)
    return empty().with_fields(fields)


def _child(shape: Shape, name: str) -> Shape:
    if shape.fields is not None and name in shape.fields:
        return shape.fields[name]
    return shape.others or (UNKNOWN if shape.vague else ANYTHING)


def _match(reading: Paths, body: Any, shape: Shape) -> Shape:
    reading.filter(body, shape)
    return shape


def _sort(reading: Paths, body: Any, shape: Shape) -> Shape:
    for path, direction in cast("Document", body).items():
        if not isinstance(direction, Mapping):
            reading.path(path, shape)
    return shape


def _add(reading: Paths, body: Any, shape: Shape) -> Shape:
    computed: dict[str, Shape] = {}
    for path, value in _flat(cast("Document", body)):
        reading.expression(value, shape)
        computed[path] = result(value, shape)
    return shape.with_fields(computed)


def _unset(reading: Paths, body: Any, shape: Shape) -> Shape:
    for path in [body] if isinstance(body, str) else body:
        reading.path(path, shape)
        shape = shape.without(path)
    return shape


def _group(reading: Paths, body: Any, shape: Shape) -> Shape:
    reading.expression(body, shape)
    return empty().with_fields(
        {n: result(v, shape, accumulator=n != "_id") for n, v in cast("Document", body).items()}
    )


def _unwind(reading: Paths, body: Any, shape: Shape) -> Shape:
    document: Document = {"path": body} if isinstance(body, str) else body
    path = str(document["path"]).removeprefix("$")
    found = reading.path(path, shape)
    one = found if found.kinds is not None and "array" not in found.kinds else found.items or UNKNOWN
    shape = shape.with_fields({path: one})
    place = document.get("includeArrayIndex")
    return shape.with_fields({place: _NUMBER}) if place else shape


def _lookup(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    foreign = reading.of(str(document["from"])) if "from" in document else UNKNOWN
    if "localField" in document:
        reading.path(document["localField"], shape)
        reading.path(document["foreignField"], foreign)
    for value in cast("Document", document.get("let", {})).values():
        reading.expression(value, shape)
    joined = pipeline(reading, document.get("pipeline", ()), foreign)
    return shape.with_fields({document["as"]: array_of(joined)})


def _count(reading: Paths, body: Any, shape: Shape) -> Shape:
    return empty().with_fields({str(body): _NUMBER})


def _facet(reading: Paths, body: Any, shape: Shape) -> Shape:
    results = {name: pipeline(reading, stages, shape) for name, stages in cast("Document", body).items()}
    return empty().with_fields({name: array_of(found) for name, found in results.items()})


def _replace(reading: Paths, body: Any, shape: Shape) -> Shape:
    value: Any = cast("Document", body).get("newRoot", body) if isinstance(body, Mapping) else body
    reading.expression(value, shape)
    return result(value, shape)


def _union(reading: Paths, body: Any, shape: Shape) -> Shape:
    document: Document = {"coll": body} if isinstance(body, str) else body
    other = reading.of(str(document["coll"])) if "coll" in document else UNKNOWN
    return merged([shape, pipeline(reading, document.get("pipeline", ()), other)])


def _sort_by_count(reading: Paths, body: Any, shape: Shape) -> Shape:
    reading.expression(body, shape)
    return empty().with_fields({"_id": result(body, shape), "count": _NUMBER})


def _bucket(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document["groupBy"], shape)
    output = cast("Document", document.get("output", {"count": {"$sum": 1}}))
    reading.expression(output, shape)
    fields = {name: result(value, shape, accumulator=True) for name, value in output.items()}
    return empty().with_fields({"_id": UNKNOWN, **fields})


def _windows(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document.get("partitionBy"), shape)
    _sort(reading, document.get("sortBy", {}), shape)
    added: dict[str, Shape] = {}
    for name, value in cast("Document", document.get("output", {})).items():
        computed = {k: v for k, v in value.items() if k != "window"}
        reading.expression(computed, shape)
        added[name] = result(computed, shape, accumulator=True)
    return shape.with_fields(added)


def _near(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.filter(document.get("query", {}), shape)
    if "key" in document:
        reading.path(document["key"], shape)
    added = {document[key]: _NUMBER for key in ("distanceField",) if key in document}
    added |= {document[key]: UNKNOWN for key in ("includeLocs",) if key in document}
    return shape.with_fields(added)


def _graph(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    reading.expression(document.get("startWith"), shape)
    foreign = reading.of(str(document.get("from")))
    for key in ("connectFromField", "connectToField"):
        reading.path(str(document[key]), foreign)
    reading.filter(document.get("restrictSearchWithMatch"), foreign)
    if "depthField" in document:
        foreign = foreign.with_fields({document["depthField"]: _NUMBER})
    return shape.with_fields({document["as"]: array_of(foreign)})


def _redact(reading: Paths, body: Any, shape: Shape) -> Shape:
    reading.expression(body, shape)
    return shape


def _densify(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    for path in (document["field"], *document.get("partitionByFields", ())):
        reading.path(path, shape)
    return shape


def _fill(reading: Paths, body: Any, shape: Shape) -> Shape:
    document = cast("Document", body)
    _sort(reading, document.get("sortBy", {}), shape)
    reading.expression(document.get("partitionBy"), shape)
    for path in (*document.get("partitionByFields", ()), *document.get("output", ())):
        reading.path(path, shape)
    return shape


_STAGES: dict[str, Stage] = {
    "$match": _match, "$sort": _sort, "$project": projected, "$addFields": _add, "$set": _add, "$unset": _unset,
    "$group": _group, "$unwind": _unwind, "$lookup": _lookup, "$count": _count, "$facet": _facet,
    "$replaceRoot": _replace, "$replaceWith": _replace, "$unionWith": _union, "$sortByCount": _sort_by_count,
    "$bucket": _bucket, "$bucketAuto": _bucket, "$setWindowFields": _windows, "$geoNear": _near, "$graphLookup": _graph,
    "$redact": _redact, "$densify": _densify, "$fill": _fill,
}  # fmt: skip
