"""Which nodes of a plan a claim is about, and how they are named to people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dbtrust.judge.grammar import Name
from dbtrust.model.plan import Node, Plan

FOREIGN = "Foreign Scan"
_NO_ACCESS = frozenset({"ModifyTable", "Bitmap Index Scan"})
#: MongoDB stages that read a collection or one of its indexes; FETCH and writes read through them.
_MONGO_SCANS = frozenset({
    "COLLSCAN", "IXSCAN", "IDHACK", "COUNT_SCAN", "DISTINCT_SCAN", "CLUSTERED_IXSCAN", "EXPRESS_IXSCAN",
    "EXPRESS_CLUSTERED_IXSCAN", "EXPRESS_UPDATE", "EXPRESS_DELETE", "RECORD_STORE_FAST_COUNT", "MULTI_ITERATOR",
    "GEO_NEAR_2D", "GEO_NEAR_2DSPHERE", "COLUMN_SCAN", "SAMPLE_FROM_TIMESERIES_BUCKET",
})  # fmt: skip
#: What a stage of MongoDB reads its collection through, its own scans included.
_MONGO_READERS = _MONGO_SCANS | {
    "FETCH",
    "EOF",
    "EQ_LOOKUP",
    "EQ_LOOKUP_UNWIND",
    "TEXT_OR",
    "$lookup",
    "$unionWith",
}


def on(node: Node, name: Name | None) -> bool:
    """Is this node's relation the one named? A partition, or a child by INHERITS, counts as every table above it."""
    if name is None:
        return True
    if node.relation is None:
        return node.type == FOREIGN and _joined(str(node.detail.get("Relations", "")), name)
    own = ((node.schema, node.relation), (node.root_schema, node.root_relation), *node.ancestors)
    return any(_is(name, schema, relation) for schema, relation in own)


def has_index(node: Node, name: Name | None) -> bool:
    """Does this node scan the index named? The index of a partition counts as every index above it."""
    if name is None:
        return False
    own = ((node.schema, node.index), (node.root_schema, node.root_index), *node.ancestor_indexes)
    return any(_is(name, schema, index) for schema, index in own)


def _is(name: Name, schema: str | None, own: str | None) -> bool:
    return own == name.name and name.schema in (None, schema)


def _joined(relations: str, name: Name) -> bool:
    """A join that a foreign server does: "(public.a x) INNER JOIN (public.b)"."""
    parts = [name.schema, name.name] if name.schema else [name.name]
    text = r"\.".join(f'(?:{re.escape(part)}|"{re.escape(part)}")' for part in parts)
    return re.search(rf'(?<![\w"]){text}(?![\w"])', relations) is not None


def accesses(plan: Plan, relation: Name | None) -> list[Node]:
    """The nodes that read a relation, or any relation."""
    if plan.engine == "mongo":
        return [n for n in plan.nodes if n.type in _MONGO_SCANS and on(n, relation)]
    found = [n for n in plan.nodes if n.type not in _NO_ACCESS and on(n, relation)]
    return [n for n in found if n.relation or n.type == FOREIGN]


def readers(plan: Plan) -> list[Node]:
    """The stages of MongoDB that would read a collection, if it is there and has what they look for."""
    return [n for n in plan.nodes if n.type in _MONGO_READERS and n.relation]


def foreign(plan: Plan, relation: Name | None) -> Node | None:
    """The first scan of another server's relation."""
    return next((n for n in plan.nodes if n.type == FOREIGN and on(n, relation)), None)


def ran(node: Node) -> bool:
    """False for what PostgreSQL shows as "never executed"."""
    return node.loops != 0


def label(node: Node) -> str:
    """ "Index Scan using i on t (node 3)"."""
    index = f" using {node.index}" if node.index else ""
    target = node.relation or node.detail.get("Relations")
    above = f", part of {node.root_relation}" if node.root_relation else ""
    never = "" if ran(node) else ", never executed"
    return f"{node.type}{index}{f' on {target}' if target else ''} (node {node.id}{above}{never})"


def listed(plan: Plan, relation: Name | None) -> str:
    """Every access, as a text."""
    named = ", ".join(label(n) for n in accesses(plan, relation))
    return named or f"no access to {relation or 'a relation'}"


def first(plan: Plan, relation: Name | None) -> Node | None:
    """The first access to the relation, else to any."""
    found = accesses(plan, relation) or accesses(plan, None)
    return found[0] if found else None


def condition(node: Node | None) -> str:
    """What the node looks for, as the server shows it, or ""."""
    return _shown(node, ("Index Cond", "Filter", "filter", "Recheck Cond"))


def filtered(node: Node | None) -> str:
    """By what the node throws away rows that it has read, or ""."""
    return _shown(node, ("Filter", "filter"))


def _shown(node: Node | None, keys: tuple[str, ...]) -> str:
    detail: Mapping[str, Any] = node.detail if node else {}
    return next((str(detail[key]) for key in keys if detail.get(key)), "")


def amount(node: Node) -> str:
    """How much a node went through, for a message: "10,000 rows"."""
    if node.documents is not None or node.keys is not None:
        return f"{node.keys or 0:,} keys, {node.documents or 0:,} documents"
    if node.rows is None:
        return ""
    removed = sum(v or 0 for v in (node.removed_filter, node.removed_recheck, node.removed_join))
    total = (node.rows + removed) * (1 if node.loops is None else node.loops)
    return f"{total:,.0f} rows"
