"""One EXPLAIN result as a tree of nodes: the same type for PostgreSQL and MongoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dbtrust.model.engine import Engine as Engine


@dataclass(frozen=True, slots=True)
class Node:
    """A node (PostgreSQL) or stage (MongoDB). Counters that the server did not report are None.

    `rows`, `removed_*`, `time_ms` are per loop, as PostgreSQL reports them; `hit`, `read` (8 kB blocks),
    `heap_fetches`, `keys` and `documents` are totals over all loops. `time_ms` includes the children.
    """

    id: int
    parent: int | None
    type: str
    relation: str | None = None
    schema: str | None = None
    alias: str | None = None
    index: str | None = None
    #: The partitioned ancestor and its index, where `relation` is a partition: claims may name either.
    root_relation: str | None = None
    root_schema: str | None = None
    root_index: str | None = None
    #: Every (schema, name) above `relation` and above `index` in partition trees and inheritance, the root included.
    ancestors: tuple[tuple[str, str], ...] = ()
    ancestor_indexes: tuple[tuple[str, str], ...] = ()
    rows: float | None = None
    estimated_rows: float | None = None
    loops: float | None = None
    startup_cost: float | None = None
    cost: float | None = None
    removed_filter: float | None = None
    removed_recheck: float | None = None
    removed_join: float | None = None
    heap_fetches: float | None = None
    hit: int | None = None
    read: int | None = None
    time_ms: float | None = None
    self_ms: float | None = None
    keys: int | None = None
    documents: int | None = None
    #: Conditions, sort keys, join type, strategy, workers, key pattern …: what is shown and not judged by name.
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def to_dict(self) -> dict[str, Any]:
        names = [name for name in self.__slots__ if name not in _ALWAYS]
        optional = {name: getattr(self, name) for name in names if getattr(self, name) not in (None, {}, ())}
        return {name: getattr(self, name) for name in _ALWAYS} | optional


_ALWAYS = (
    "id", "parent", "type", "relation", "index", "rows", "estimated_rows", "loops", "cost", "keys", "documents",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """`nodes` in pre-order, node 0 the root (several roots only for MongoDB pipelines: parent None).

    `totals` keys: returned, keys, documents (MongoDB), cost, hit, read, planning_ms, execution_ms.
    `unknown` names node types, stages or explain versions this dbtrust does not know: a claim over such a
    plan is unproved. `relation_reads` maps "schema.relation" to rows read as the server's own counters tell.
    """

    engine: Engine
    nodes: tuple[Node, ...]
    totals: Mapping[str, Any] = field(default_factory=dict[str, Any])
    analyzed: bool = True
    server_version: str = ""
    command: str = ""
    unknown: tuple[str, ...] = ()
    relation_reads: Mapping[str, float] | None = None

    def children(self, parent: int | None) -> Iterator[Node]:
        return (node for node in self.nodes if node.parent == parent)

    def to_dict(self) -> dict[str, Any]:
        head: dict[str, Any] = {"engine": self.engine, "nodes": [node.to_dict() for node in self.nodes]}
        head["totals"] = dict(self.totals)
        if self.command:
            head["command"] = self.command
        if self.unknown:
            head["unknown"] = list(self.unknown)
        return head
