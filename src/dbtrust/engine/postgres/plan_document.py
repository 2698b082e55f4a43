"""PostgreSQL's EXPLAIN (FORMAT JSON) document as a Plan. Pure: nothing is raised, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from dbtrust.model.plan import Node, Plan

#: Every "Node Type" that explain.c of 15 to 18 writes, but Custom Scan: an extension's scan may do anything.
KNOWN = frozenset({
    "Result", "ProjectSet", "ModifyTable", "Append", "Merge Append", "Recursive Union", "BitmapAnd",
    "BitmapOr", "Nested Loop", "Merge Join", "Hash Join", "Seq Scan", "Sample Scan", "Gather", "Gather Merge",
    "Index Scan", "Index Only Scan", "Bitmap Index Scan", "Bitmap Heap Scan", "Tid Scan", "Tid Range Scan",
    "Subquery Scan", "Function Scan", "Table Function Scan", "Values Scan", "CTE Scan",
    "Named Tuplestore Scan", "WorkTable Scan", "Foreign Scan", "Materialize", "Memoize", "Sort",
    "Incremental Sort", "Group", "Aggregate", "WindowAgg", "Unique", "SetOp", "LockRows", "Limit", "Hash",
})  # fmt: skip

#: Nodes that read rows of a relation of this server.
SCANS = frozenset({
    "Seq Scan", "Sample Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan",
    "Tid Range Scan",
})  # fmt: skip

_NUMBERS = {
    "rows": "Actual Rows", "estimated_rows": "Plan Rows", "loops": "Actual Loops",
    "startup_cost": "Startup Cost", "cost": "Total Cost", "time_ms": "Actual Total Time",
    "heap_fetches": "Heap Fetches",
    "removed_filter": "Rows Removed by Filter", "removed_recheck": "Rows Removed by Index Recheck",
    "removed_join": "Rows Removed by Join Filter",
}  # fmt: skip
_TEXTS = {"relation": "Relation Name", "schema": "Schema", "alias": "Alias", "index": "Index Name"}
_NOT_SHOWN = frozenset({
    "Plans", "Node Type", "Output", "Workers", "Plan Width", "Actual Startup Time",
    *_NUMBERS.values(), *_TEXTS.values(),
})  # fmt: skip


_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Partitions:
    """Where relations belong: (schema, relation) to the partition root's, (schema, index) to the root's index.

    `ancestors` holds for a (schema, name) of either kind everything above it.
    """

    relations: Mapping[_Name, _Name] = field(default_factory=dict[_Name, _Name])
    indexes: Mapping[_Name, str] = field(default_factory=dict[_Name, str])
    ancestors: Mapping[_Name, tuple[_Name, ...]] = field(default_factory=dict[_Name, tuple[_Name, ...]])

    def of(self, schema: str | None, relation: str | None, index: str | None) -> dict[str, Any]:
        """The fields of a Node that tell where its relation and its index belong."""
        own, scan = (schema or "", relation or ""), (schema or "", index or "")
        places: dict[str, Any] = {
            "ancestors": self.ancestors.get(own, ()),
            "ancestor_indexes": self.ancestors.get(scan, ()) if index else (),
        }
        if (root := self.relations.get(own)) is not None:
            places |= {"root_schema": root[0], "root_relation": root[1], "root_index": self.indexes.get(scan)}
        return places


@dataclass(slots=True)
class _Raw:
    """A node of the document with its place in the tree; `heap` is the relation a bitmap below would read."""

    id: int
    parent: _Raw | None
    data: Mapping[str, Any]
    heap: tuple[str | None, str | None]
    processes: float
    children: list[_Raw] = field(default_factory=list["_Raw"])

    @property
    def total_ms(self) -> float:
        """Wall time of all loops: under Gather the loops of several processes ran at the same time."""
        return (
            (_number(self.data, "Actual Total Time") or 0)
            * (_number(self.data, "Actual Loops") or 0)
            / self.processes
        )


def parse(document: Any, *, server_version: str, partitions: Partitions | None = None) -> Plan:
    """The plan of an EXPLAIN (FORMAT JSON) document, decoded (a list with one object per planned statement).

    `self_ms` is the wall time of all loops of a node without its children. A rewrite rule may give several
    plans: several roots. What is not understood is named in `unknown`.
    """
    entries: list[Any] = document if _is_list(document) else [document]
    plans = [entry for entry in entries if _is_mapping(entry) and _is_mapping(entry.get("Plan"))]
    raws = list(_walk([entry["Plan"] for entry in plans]))
    unknown = {_unknown(raw.data) for raw in raws} - {""}
    if len(plans) < len(entries) or not plans:
        unknown.add("a document without a plan")
    spent = _cte_times(raws)
    return Plan(
        engine="postgres",
        nodes=tuple(_node(raw, partitions or Partitions(), spent) for raw in raws),
        totals=_totals(plans),
        analyzed=bool(plans) and all("Actual Loops" in entry["Plan"] for entry in plans),
        server_version=server_version,
        unknown=tuple(sorted(unknown)),
    )


def _walk(roots: list[Mapping[str, Any]]) -> Iterator[_Raw]:
    """Pre-order and without recursion, so that no depth of a plan is too much."""
    stack: list[tuple[Mapping[str, Any], _Raw | None]] = [(root, None) for root in reversed(roots)]
    number = 0
    while stack:
        data, parent = stack.pop()
        raw = _Raw(number, parent, data, _heap(data, parent), _processes(parent))
        number += 1
        if parent is not None:
            parent.children.append(raw)
        children: Any = data.get("Plans")
        stack += (
            [(child, raw) for child in reversed(children) if _is_mapping(child)] if _is_list(children) else []
        )
        yield raw


def _heap(data: Mapping[str, Any], parent: _Raw | None) -> tuple[str | None, str | None]:
    """A Bitmap Index Scan names its index only: the relation is that of the heap scan above it."""
    if data.get("Node Type") in ("BitmapAnd", "BitmapOr", "Bitmap Index Scan"):
        return parent.heap if parent else (None, None)
    return _text(data, "Schema"), _text(data, "Relation Name")


def _processes(parent: _Raw | None) -> float:
    if parent is None:
        return 1
    if parent.data.get("Node Type") in ("Gather", "Gather Merge"):
        # The leader takes part, too: its loop is one of the loops counted below.
        return max(0, _number(parent.data, "Workers Launched") or 0) + 1
    return parent.processes


def _unknown(data: Mapping[str, Any]) -> str:
    kind = data.get("Node Type")
    if isinstance(kind, str) and kind in KNOWN:
        return ""
    provider = data.get("Custom Plan Provider")
    return f"{kind} ({provider})" if provider else str(kind)


def _node(raw: _Raw, partitions: Partitions, spent: Mapping[int, float]) -> Node:
    numbers: dict[str, Any] = {name: _number(raw.data, key) for name, key in _NUMBERS.items()}
    texts: dict[str, Any] = {name: _text(raw.data, key) for name, key in _TEXTS.items()}
    if raw.data.get("Node Type") == "Bitmap Index Scan":
        texts["schema"], texts["relation"] = raw.heap
    return Node(
        id=raw.id,
        parent=None if raw.parent is None else raw.parent.id,
        type=str(raw.data.get("Node Type")),
        **texts,
        **numbers,
        **partitions.of(texts["schema"], texts["relation"], texts["index"]),
        hit=_blocks(raw.data, "Hit"),
        read=_blocks(raw.data, "Read"),
        self_ms=_self_ms(raw, spent),
        detail=_detail(raw.data),
    )


def _detail(data: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in data.items() if key not in _NOT_SHOWN}
    return {
        key: value
        for key, value in shown.items()
        if value is not False and not (value == 0 and key.endswith((" Blocks", " Time")))
    }


def _cte_times(raws: list[_Raw]) -> dict[int, float]:
    """Node id of the first scan of each CTE, to the time of the CTE: it runs inside that scan."""
    times: dict[str, float] = {}
    for raw in raws:
        if name := _cte(raw.data):
            times[name] = raw.total_ms
    spent: dict[int, float] = {}
    for raw in raws:
        name = f"CTE {raw.data.get('CTE Name')}"
        if raw.data.get("Node Type") == "CTE Scan" and name in times:
            spent[raw.id] = times.pop(name)
    return spent


def _cte(data: Mapping[str, Any]) -> str | None:
    name = _text(data, "Subplan Name") or ""
    return name if name.startswith("CTE ") and data.get("Parent Relationship") == "InitPlan" else None


def _self_ms(raw: _Raw, spent: Mapping[int, float]) -> float | None:
    if "Actual Total Time" not in raw.data:
        return None
    inside = sum(child.total_ms for child in raw.children if not _cte(child.data)) + spent.get(raw.id, 0)
    return round(max(0.0, raw.total_ms - inside), 3)


def _totals(plans: list[Mapping[str, Any]]) -> dict[str, Any]:
    if not plans:
        return {}
    roots: list[Mapping[str, Any]] = [entry["Plan"] for entry in plans]
    totals: dict[str, Any] = {"cost": sum(_number(root, "Total Cost") or 0 for root in roots)}
    if all("Actual Loops" in root for root in roots):
        totals["returned"] = sum(
            (_number(r, "Actual Rows") or 0) * (_number(r, "Actual Loops") or 0) for r in roots
        )
        if any(_blocks(root, "Hit") is not None for root in roots):
            totals["hit"] = sum(_blocks(root, "Hit") or 0 for root in roots)
            totals["read"] = sum(_blocks(root, "Read") or 0 for root in roots)
    for name, key in (("planning_ms", "Planning Time"), ("execution_ms", "Execution Time")):
        if any(key in entry for entry in plans):
            totals[name] = sum(_number(entry, key) or 0 for entry in plans)
    return totals | _extras(plans)


def _extras(plans: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Settings that differ from the defaults, and the triggers that ran, as the server tells them."""
    names = (("settings", "Settings"), ("triggers", "Triggers"))
    return {name: entry[key] for entry in plans for name, key in names if entry.get(key)}


def _blocks(data: Mapping[str, Any], what: str) -> int | None:
    """Blocks of 8 kB, of shared and of temporary tables' buffers, the children's included."""
    shared, local = _number(data, f"Shared {what} Blocks"), _number(data, f"Local {what} Blocks")
    return None if shared is None else int(shared + (local or 0))


def _number(data: Mapping[str, Any], key: str) -> float | None:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < 1e300 else None


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
