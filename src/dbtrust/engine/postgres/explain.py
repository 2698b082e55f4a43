"""EXPLAIN on PostgreSQL, read into a Plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from dbtrust.engine.postgres.counters import Counters
from dbtrust.engine.postgres.questions import question
from dbtrust.model.plan import Node, Plan

#: Node types of PostgreSQL 15 to 18 (src/backend/commands/explain.c, ExplainNode).
KNOWN = frozenset(
    """Result|ProjectSet|ModifyTable|Append|Merge Append|Recursive Union|BitmapAnd|BitmapOr|Nested Loop|Merge Join
    Hash Join|Seq Scan|Sample Scan|Gather|Gather Merge|Index Scan|Index Only Scan|Bitmap Index Scan|Bitmap Heap Scan
    Tid Scan|Tid Range Scan|Subquery Scan|Function Scan|Table Function Scan|Values Scan|CTE Scan|Named Tuplestore Scan
    WorkTable Scan|Foreign Scan|Custom Scan|Materialize|Memoize|Sort|Incremental Sort|Group|Aggregate|WindowAgg|Unique
    SetOp|LockRows|Limit|Hash""".replace("\n    ", "|").split("|")
)
_SHOWN = (
    "Parent Relationship", "Subplan Name", "Join Type", "Strategy", "Partial Mode", "Operation", "Scan Direction",
    "Index Cond", "Recheck Cond", "Filter", "Join Filter", "Hash Cond", "Merge Cond", "Sort Key", "Presorted Key",
    "Group Key", "Cache Key", "Sort Method", "Workers Planned", "Workers Launched", "CTE Name", "Function Name",
    "Subplans Removed", "Disabled", "Parallel Aware", "One-Time Filter", "Output",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Partitions:
    """(schema, name) of a partition or a partition's index -> (schema, name) of the topmost parent."""

    relations: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], tuple[str, str]])
    indexes: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict[tuple[str, str], tuple[str, str]])


def read_partitions(connection: psycopg.Connection[Any]) -> Partitions:
    """Every partition and partition index of the database with its root (pg_partition_root)."""
    rows = connection.execute(question("partitions")).fetchall()
    relations = {(s, n): (rs, rn) for kind, s, n, rs, rn in rows if kind == "table"}
    indexes = {(s, n): (rs, rn) for kind, s, n, rs, rn in rows if kind == "index"}
    return Partitions(relations, indexes)


def explain(
    connection: psycopg.Connection[Any], statement: str, params: Sequence[Any] = (), *, analyze: bool = True,
    counters: bool = True,
) -> Plan:  # fmt: skip
    """The plan of a first execution of `statement` ($1 …) with exactly the types that psycopg sends.

    The values go through the extended protocol, so the planner sees them: a custom plan. The caller owns the
    transaction and rolls back what a writing statement did. Raises psycopg.Error.
    """
    version = f"{connection.info.server_version // 10000}.{connection.info.server_version % 10000}"
    partitions = read_partitions(connection)
    plan = parse(_document(connection, statement, params, analyze), server_version=version, partitions=partitions)
    if not (analyze and counters and _needs_counters(plan)):
        return plan
    reads = _measured(connection, statement, params, plan)
    return Plan(
        plan.engine, plan.nodes, plan.totals, plan.analyzed, plan.server_version, plan.command, plan.unknown, reads
    )


def _document(connection: psycopg.Connection[Any], statement: str, params: Sequence[Any], analyze: bool) -> Any:
    options = "ANALYZE, BUFFERS, VERBOSE, SETTINGS, FORMAT JSON" if analyze else "VERBOSE, SETTINGS, FORMAT JSON"
    with psycopg.RawCursor(connection) as cursor:
        row = cursor.execute(f"EXPLAIN ({options}) {statement}".encode(), list(params) or None).fetchone()
    assert row is not None
    return row[0]


def _needs_counters(plan: Plan) -> bool:
    if any(node.type.startswith("Gather") for node in plan.nodes):
        return False
    return any(node.relation and (node.loops or 0) > 1 for node in plan.nodes)


def _measured(connection: psycopg.Connection[Any], statement: str, params: Sequence[Any], plan: Plan) -> Mapping[str, float]:
    """Rows read per relation as the server counts them, without what planning itself reads (index endpoints)."""
    counter = Counters(connection, plan.nodes)
    planned = counter.change(lambda: _document(connection, statement, params, analyze=False))
    executed = counter.change(lambda: _document(connection, statement, params, analyze=True))
    roots = {(node.schema or "public", node.relation): node for node in plan.nodes if node.relation}
    reads: dict[str, float] = {}
    for name, value in executed.items():
        node = roots[name]
        key = f"{node.root_schema or node.schema}.{node.root_relation or node.relation}"
        reads[key] = reads.get(key, 0) + value - planned.get(name, 0)
    return reads


def parse(document: Any, *, server_version: str, partitions: Partitions | None = None) -> Plan:
    """An EXPLAIN (FORMAT JSON) document as a Plan; nodes in pre-order. Costs in the planner's units, times in ms."""
    top = document[0] if isinstance(document, list) else document
    reader = _Reader(partitions or Partitions())
    reader.read(top["Plan"], None, None)
    root = reader.nodes[0]
    returned = (root.rows or 0) * (root.loops or 0) if root.rows is not None else None
    totals = {
        "returned": returned, "cost": root.cost, "hit": root.hit, "read": root.read,
        "planning_ms": top.get("Planning Time"), "execution_ms": top.get("Execution Time"),
    }  # fmt: skip
    settings = top.get("Settings")
    if settings:
        totals["settings"] = settings
    return Plan(
        "postgres", tuple(reader.nodes), totals, analyzed=root.rows is not None, server_version=server_version,
        unknown=tuple(dict.fromkeys(reader.unknown)),
    )  # fmt: skip


class _Reader:
    """Flattens the nested document."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions
        self.nodes: list[Node] = []
        self.unknown: list[str] = []

    def read(self, raw: Mapping[str, Any], parent: int | None, heap: tuple[str | None, str | None] | None) -> None:
        kind = str(raw["Node Type"])
        if kind not in KNOWN:
            self.unknown.append(kind)
        number = len(self.nodes)
        schema, relation = raw.get("Schema"), raw.get("Relation Name")
        if kind == "Bitmap Index Scan" and heap is not None:
            schema, relation = heap
        children = raw.get("Plans", [])
        self.nodes.append(self._node(raw, number, parent, kind, schema, relation, children))
        below = (schema, relation) if kind == "Bitmap Heap Scan" else heap
        for child in children:
            self.read(child, number, below)

    def _node(
        self, raw: Mapping[str, Any], number: int, parent: int | None, kind: str, schema: str | None, relation: str | None,
        children: Sequence[Mapping[str, Any]],
    ) -> Node:  # fmt: skip
        root = self._partitions.relations.get((schema or "", relation or ""))
        index = raw.get("Index Name")
        top_index = self._partitions.indexes.get((schema or "", index or ""))
        time, loops = raw.get("Actual Total Time"), raw.get("Actual Loops")
        inside = sum((c.get("Actual Total Time") or 0) * (c.get("Actual Loops") or 0) for c in children)
        workers = (raw.get("Workers Launched") or 0) + 1 if kind.startswith("Gather") else 1
        own = None if time is None else max(0.0, time * (loops or 0) - inside / workers)
        return Node(
            id=number, parent=parent, type=kind, relation=relation, schema=schema, alias=raw.get("Alias"), index=index,
            root_relation=root[1] if root else None, root_schema=root[0] if root else None,
            root_index=top_index[1] if top_index else None, rows=raw.get("Actual Rows"),
            estimated_rows=raw.get("Plan Rows"), loops=loops, startup_cost=raw.get("Startup Cost"),
            cost=raw.get("Total Cost"), removed_filter=raw.get("Rows Removed by Filter"),
            removed_recheck=raw.get("Rows Removed by Index Recheck"), removed_join=raw.get("Rows Removed by Join Filter"),
            heap_fetches=raw.get("Heap Fetches"), hit=raw.get("Shared Hit Blocks"), read=raw.get("Shared Read Blocks"),
            time_ms=time, self_ms=own, detail={key: raw[key] for key in _SHOWN if key in raw and raw[key] not in (False, 0)},
        )  # fmt: skip
