"""Reads an explain document into a Plan: pure, and never an exception, whatever the document.

Shapes seen on 6.0 (tests/fixtures/mongo) or taken from documentation (…/documented) are read.
A stage, a strategy or an explainVersion that is not known goes into `Plan.unknown`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from bson import json_util

from dbtrust.engine.mongo.stages import ACCESS, DETAIL, FIND_LAYER, PIPELINE, UNCOUNTED, WRITES
from dbtrust.model.plan import Node, Plan

Document = Mapping[str, Any]
_TOO_DEEP = "a plan that is nested too deeply to be read"
_EXPLAIN_VERSIONS = ("1", "2")
_EMPTY: Document = {}
_CHILDREN = ("inputStage", "inputStages", "outerStage", "innerStage", "thenStage", "elseStage", "shards")
#: $lookup's and its kin's: a $lookup inside a $lookup hides whose reads are whose.
_READERS = frozenset({"$lookup", "$graphLookup", "$unionWith"})
_SCANNING, _SEEKING = ("HashJoin", "NestedLoopJoin"), ("IndexedLoopJoin", "DynamicIndexedLoopJoin")


def parse(document: Document, *, server_version: str = "", command: str = "") -> Plan:
    """The plan of one explained command. `nodes` has one root for a find and one for each pipeline stage.

    totals: returned (counted, for a count), keys, documents ($lookup's own included), execution_ms.
    """
    reader = _Reader()
    version = str(document.get("explainVersion", "1"))
    if version not in _EXPLAIN_VERSIONS:
        reader.unknown.append(f"explainVersion {version}")
    try:
        returned = reader.document(document, None)
    except RecursionError:
        return Plan("mongo", (), server_version=server_version, command=command, unknown=(_TOO_DEEP,))
    totals = {name: value for name, value in reader.totals.items() if value is not None}
    # A distinct's plan returns documents; how many values they hold, it does not tell.
    if returned is not None and reader.analyzed and "distinct" not in _mapping(document.get("command")):
        totals["returned"] = returned
    return Plan(
        engine="mongo",
        nodes=tuple(_with_own_times(reader.nodes)),
        totals=totals,
        analyzed=reader.analyzed,
        server_version=server_version,
        command=command,
        unknown=tuple(dict.fromkeys(reader.unknown)),
    )


def _with_own_times(nodes: list[Node]) -> Iterator[Node]:
    """A stage's time includes that of the stages below it, a pipeline stage's that of the one before it."""
    below: dict[int | None, float] = {}
    before: dict[int | None, float] = {}
    inside: dict[int, float] = {}
    for node in nodes:
        time = node.time_ms or 0
        below[node.parent] = below.get(node.parent, 0) + time
        inside[node.id] = before.get(node.parent, 0) if node.type.startswith("$") else 0
        before[node.parent] = time
    for node in nodes:
        spent = inside[node.id] + below.get(node.id, 0)
        yield node if node.time_ms is None else replace(node, self_ms=max(0, node.time_ms - spent))


class _Reader:
    """Collects nodes in pre-order, totals and unknown things while it walks one document."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.unknown: list[str] = []
        self.totals: dict[str, int | None] = {"keys": None, "documents": None, "execution_ms": None}
        self.analyzed = True

    def document(self, document: Document, parent: int | None) -> int | None:
        """A whole explain document, or one shard's, or a $unionWith's; how many documents it returned."""
        if shards := _mapping(document.get("shards")):
            return self._shards(document, shards, parent)
        if "stages" in document:
            return self._pipeline(_list(document["stages"]), parent)
        if "queryPlanner" in document:
            return self._cursor(document, parent)
        self.unknown.append("an explain document without a plan")
        return None

    def _shards(self, document: Document, shards: Document, parent: int | None) -> int | None:
        """An aggregate through mongos: one document a shard, then what is merged."""
        returned = [self.document(_mapping(shard), parent) for shard in shards.values()]
        merger = _list(_mapping(document.get("splitPipeline")).get("mergerPart"))
        if any("$mergeCursors" not in _mapping(stage) for stage in merger):
            self.unknown.append("stages that ran on mongos")
        return sum(count or 0 for count in returned)

    def _pipeline(self, stages: list[Any], parent: int | None) -> int | None:
        returned: int | None = None
        for stage in stages:
            returned = self._stage(_mapping(stage), parent)
        return returned

    def _stage(self, stage: Document, parent: int | None) -> int | None:
        """One pipeline stage beside its counters: {"$sort": {...}, "nReturned": 5, ...}."""
        name = next((key for key in stage if key.startswith("$")), "a stage without a name")
        spec = stage.get(name)
        if "queryPlanner" in _mapping(spec):
            returned = self._cursor(_mapping(spec), parent)
            return returned if (count := _integer(stage.get("nReturned"))) is None else count
        reads = "totalDocsExamined" in stage
        if name not in PIPELINE and not (name == "$graphLookup" and reads):
            self.unknown.append(f"{name} (explain does not tell its reads)" if name in _READERS else name)
        self._longest(_integer(stage.get("executionTimeMillisEstimate")))
        if name in _READERS and name != "$unionWith":
            self._lookup(name, stage, _mapping(spec), parent)
        else:
            self._plain_stage(name, stage, spec, parent)
        return _integer(stage.get("nReturned"))

    def _plain_stage(self, name: str, stage: Document, spec: Any, parent: int | None) -> None:
        nested = name in ("$facet", "$unionWith")
        extra = {} if nested else {"spec": _safe(spec)}
        node = self._add(
            name, parent, stage, relation=_union_target(spec) if name == "$unionWith" else None, **extra
        )
        if name == "$facet":
            for branch in _mapping(spec).values():
                self._pipeline(_list(branch), node.id)
        elif name == "$unionWith":
            pipeline = _mapping(spec).get("pipeline")
            if isinstance(pipeline, list) and pipeline:
                self._pipeline(_list(pipeline), node.id)
            else:
                self.document(_mapping(pipeline), node.id)

    def _lookup(self, name: str, stage: Document, spec: Document, parent: int | None) -> None:
        """A $lookup that runs as a pipeline stage: its own totals, and what it read them with."""
        keys, documents = _integer(stage.get("totalKeysExamined")), _integer(stage.get("totalDocsExamined"))
        self._total("keys", keys)
        self._total("documents", documents)
        if documents is None and name == "$lookup" and "nReturned" in stage:
            self.unknown.append("$lookup without totals")
        if (inner := _reader_in(spec.get("pipeline"))) is not None:
            self.unknown.append(f"a {inner} inside a {name}")
        relation = _target(spec.get("from"))
        # A $lookup that took a $unwind in has not counted what its last document read (seen on 6.0).
        told = {"incomplete": True} if "unwinding" in spec else {}
        node = self._add(
            name, parent, stage, relation=relation, keys=keys, documents=documents, spec=_safe(spec), **told
        )
        if _integer(stage.get("collectionScans")):
            self._told("COLLSCAN", node.id, relation, None, name)
        for index in _list(stage.get("indexesUsed")):
            self._told("IXSCAN", node.id, relation, str(index), name)

    def _told(self, type: str, parent: int, relation: str | None, index: str | None, by: str) -> None:
        """A scan that its parent's counters tell of; the counts are the parent's, so none are here."""
        self._add(type, parent, _EMPTY, relation=relation, index=index, reported_by=by)

    def _cursor(self, spec: Document, parent: int | None) -> int | None:
        """queryPlanner with executionStats: the find layer."""
        planner, stats = _mapping(spec.get("queryPlanner")), spec.get("executionStats")
        if not isinstance(stats, Mapping):
            self.analyzed = False
        stats = _mapping(stats)
        if stats.get("executionSuccess") is False:
            self.unknown.append(f"an execution that failed ({stats.get('errorMessage', 'no message')})")
        winning, execution = _mapping(planner.get("winningPlan")), _mapping(stats.get("executionStages"))
        namespace = str(planner.get("namespace", ""))
        self._total("keys", _integer(stats.get("totalKeysExamined")))
        self._total("documents", _integer(stats.get("totalDocsExamined")))
        self._total("execution_ms", _integer(stats.get("executionTimeMillis")))
        first = len(self.nodes)
        if isinstance(winning.get("queryPlan"), Mapping):
            slots = _Slots(execution, stats)
            self._walk({**winning, **_mapping(winning["queryPlan"])}, _EMPTY, parent, namespace, slots)
        else:
            self._walk(winning, execution, parent, namespace, None)
        counted = [
            _integer(node.detail.get("nCounted")) or 0 for node in self.nodes[first:] if node.type == "COUNT"
        ]
        return _integer(stats.get("nReturned")) or (
            sum(counted) if counted else _integer(stats.get("nReturned"))
        )

    def _walk(
        self, planned: Document, executed: Document, parent: int | None, namespace: str, slots: _Slots | None
    ) -> None:
        """One stage and those below it, from both halves of the document as far as they are the same tree."""
        if executed and executed.get("stage") != planned.get("stage"):
            planned = executed
        stage = {**planned, **executed}
        namespace = str(stage.get("namespace", namespace))
        node = self._found(stage, parent, namespace, slots)
        below, ran = list(_below(planned)), list(_below(executed))
        if len(below) != len(ran):
            below, ran = (ran or below), []
        for number, child in enumerate(below):
            self._walk(child, ran[number] if ran else _EMPTY, node.id, namespace, slots)
        if node.type.startswith("EQ_LOOKUP"):
            self._foreign(stage, node)

    def _found(self, stage: Document, parent: int | None, namespace: str, slots: _Slots | None) -> Node:
        name = stage.get("stage")
        if not isinstance(name, str) or name not in FIND_LAYER:
            self.unknown.append(str(name) if isinstance(name, str) and name else "a stage without a name")
        name = str(name)
        # EOF answers for a collection that is not there, or for a filter that nothing fits.
        reads = name in ACCESS | WRITES | {"EOF"} or "indexName" in stage
        relation = _collection(namespace) if reads else None
        if name.startswith("EQ_LOOKUP"):
            relation = _collection(str(stage.get("foreignCollection", "")))
        index = None if name.startswith("EQ_LOOKUP") else _index(name, stage)
        counters: dict[str, Any] = slots.of(stage) if slots else _counters(stage)
        if name in UNCOUNTED:
            counters["incomplete"] = True
        return self._add(name, parent, stage, relation=relation, index=index, **counters)

    def _foreign(self, stage: Document, node: Node) -> None:
        """The other side of a join that ran in the find layer."""
        strategy = stage.get("strategy")
        if strategy in _SCANNING:
            self._told("COLLSCAN", node.id, node.relation, None, node.type)
        elif strategy in _SEEKING:
            self._told("IXSCAN", node.id, node.relation, _text(stage.get("indexName")), node.type)
            if strategy == "DynamicIndexedLoopJoin":  # it scans for values that the index cannot find [doc]
                self._told("COLLSCAN", node.id, node.relation, None, node.type)
        elif strategy not in ("NonExistentForeignCollection",):
            self.unknown.append(f"{node.type} with strategy {strategy}")

    def _add(self, type: str, parent: int | None, stage: Document, **known: Any) -> Node:
        extra = {key: known.pop(key) for key in ("spec", "reported_by", "incomplete") if key in known}
        detail = {key: _safe(stage[key]) for key in DETAIL if key in stage} | extra
        told: dict[str, Any] = {"rows": _integer(stage.get("nReturned"))} | known
        rows = _integer(stage.get("nCounted")) if type == "COUNT" else told.pop("rows")
        told.pop("rows", None)
        node = Node(
            id=len(self.nodes),
            parent=parent,
            type=type,
            rows=rows,
            loops=1 if rows is not None else None,
            time_ms=_integer(stage.get("executionTimeMillisEstimate")),
            cost=_number(stage.get("costEstimate")),
            estimated_rows=_number(stage.get("cardinalityEstimate")),
            detail=detail,
            **told,
        )
        self.nodes.append(node)
        return node

    def _total(self, name: str, value: int | None) -> None:
        if value is not None:
            self.totals[name] = (self.totals[name] or 0) + value

    def _longest(self, milliseconds: int | None) -> None:
        if milliseconds is not None:
            self.totals["execution_ms"] = max(self.totals["execution_ms"] or 0, milliseconds)


class _Slots:
    """Counters of a slot-based execution, by the planNodeId that each slot stage carries.

    They are used only where their sums are the document's own totals; the totals are right in any case.
    """

    def __init__(self, execution: Document, stats: Document) -> None:
        self.rows: dict[Any, int | None] = {}
        self.keys: dict[Any, int] = {}
        self.documents: dict[Any, int] = {}
        for stage in _all(execution):
            node = _integer(stage.get("planNodeId"))
            self.rows.setdefault(node, _integer(stage.get("nReturned")))
            self.keys[node] = self.keys.get(node, 0) + (_integer(stage.get("keysExamined")) or 0)
            reads = _integer(stage.get("numReads")) if stage.get("stage") in ("scan", "seek") else 0
            self.documents[node] = self.documents.get(node, 0) + (reads or 0)
        told = _integer(stats.get("totalKeysExamined")), _integer(stats.get("totalDocsExamined"))
        self.consistent = told == (sum(self.keys.values()), sum(self.documents.values()))

    def of(self, stage: Document) -> dict[str, Any]:
        node, name = _integer(stage.get("planNodeId")), str(stage.get("stage"))
        counters: dict[str, Any] = {"rows": self.rows.get(node)}
        if self.consistent and (name in ACCESS or name.startswith("EQ_LOOKUP")):
            counters |= {"keys": self.keys.get(node), "documents": self.documents.get(node)}
        return counters


def _all(stage: Document) -> Iterator[Document]:
    if stage:
        yield stage
        for child in _below(stage):
            yield from _all(child)


def _below(stage: Document) -> Iterator[Document]:
    """The children in the order of the document; a shard's entry is the plan that it holds."""
    for name in _CHILDREN:
        value = stage.get(name)
        for child in _list(value) if isinstance(value, list) else [value]:
            if isinstance(child, Mapping):
                yield _shard(cast("Document", child)) if name == "shards" else cast("Document", child)


def _shard(entry: Document) -> Document:
    plan = _mapping(entry.get("winningPlan", entry.get("executionStages")))
    plan = {**plan, **_mapping(plan.get("queryPlan"))}
    return plan | {key: entry[key] for key in ("shardName", "namespace") if key in entry}


def _counters(stage: Document) -> dict[str, Any]:
    return {"keys": _integer(stage.get("keysExamined")), "documents": _integer(stage.get("docsExamined"))}


def _index(name: str, stage: Document) -> str | None:
    """IDHACK has no indexName before 8.0; its index is always _id_."""
    told = _text(stage.get("indexName"))
    by_id = name == "IDHACK" or (name == "EXPRESS_IXSCAN" and stage.get("keyPattern") == "{ _id: 1 }")
    return told or ("_id_" if by_id else None)


def _collection(namespace: str) -> str | None:
    """ "shop.products" -> "products"; a time series is read through its buckets."""
    name = namespace.partition(".")[2].removeprefix("system.buckets.")
    return name or None


def _reader_in(value: Any) -> str | None:
    """The first stage anywhere in a pipeline ($facet nests too) that reads another collection."""
    if isinstance(value, Mapping):
        stage = _mapping(value)
        here = next((key for key in stage if key in _READERS), None)
        return here or next(filter(None, map(_reader_in, stage.values())), None)
    return next(filter(None, map(_reader_in, _list(value))), None)


def _target(value: Any) -> str | None:
    """`from` of a $lookup: a name, or {db, coll}."""
    return _text(_mapping(value).get("coll")) if isinstance(value, Mapping) else _text(value)


def _union_target(spec: Any) -> str | None:
    return _target(_mapping(spec).get("coll"))


def _mapping(value: Any) -> Document:
    return cast("Document", value) if isinstance(value, Mapping) else _EMPTY


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value


def _safe(value: Any) -> Any:
    """BSON as JSON can hold it."""
    try:
        return json.loads(json_util.dumps(value, json_options=json_util.RELAXED_JSON_OPTIONS))
    except (TypeError, ValueError, OverflowError):
        return repr(value)
