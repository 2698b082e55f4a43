"""What a plan of MongoDB examined: per command, per collection, and for one scan."""

from __future__ import annotations

from dbtrust.judge.grammar import Name
from dbtrust.judge.nodes import accesses, on, readers
from dbtrust.model.plan import Node, Plan

#: Stages that read documents as soon as there is one to find.
_FETCHING = frozenset({
    "COLLSCAN", "FETCH", "IDHACK", "CLUSTERED_IXSCAN", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN",
    "EXPRESS_UPDATE", "EXPRESS_DELETE", "TEXT_OR", "GEO_NEAR_2D", "GEO_NEAR_2DSPHERE", "EQ_LOOKUP",
    "EQ_LOOKUP_UNWIND", "$lookup", "EOF",
})  # fmt: skip
_JOINS = ("EQ_LOOKUP", "EQ_LOOKUP_UNWIND", "$lookup")


def total_of(plan: Plan, unit: str, relation: Name | None) -> float | None:
    """Keys or documents of the whole plan, or of one collection; None where the plan does not tell."""
    total = plan.totals.get(unit)
    if relation is None or total is None or total == 0:
        return total
    if all(on(node, relation) for node in readers(plan)):
        return total
    own = [node for node in plan.nodes if on(node, relation)]
    told = sum(getattr(node, unit) or 0 for node in plan.nodes)
    return sum(getattr(node, unit) or 0 for node in own) if told == total else None


def fetching(plan: Plan, relation: Name | None) -> Node | None:
    """A stage that would have read documents of the collection, had the example found any."""
    return next((n for n in plan.nodes if n.type in _FETCHING and on(n, relation)), None)


def incomplete(plan: Plan, relation: Name | None) -> Node | None:
    """A stage whose counters are a part of what it read: the totals are the least that was examined."""
    return next((n for n in plan.nodes if n.detail.get("incomplete") and on(n, relation)), None)


def idle_lookup(plan: Plan, relation: Name | None) -> Node | None:
    """A $lookup that tells of no access at all, so that nobody knows how it reads."""
    for node in plan.nodes:
        told = (
            node.keys
            or node.documents
            or node.detail.get("indexesUsed")
            or node.detail.get("collectionScans")
        )
        if node.type == "$lookup" and not told and on(node, relation):
            return node
    return None


def documents_behind(plan: Plan, scan: Node) -> tuple[Node | None, float | None]:
    """The stage that reads documents for what one scan finds, and how many it read (None: the plan does not tell).

    That is the scan itself or a stage above it; a join's own documents are those of its other side.
    """
    node: Node | None = scan
    while node is not None:
        inside = node.id == scan.id or node.type not in _JOINS or node.id == _reporter(scan)
        if inside and node.type in _FETCHING:
            known = node.documents if node.documents is not None else plan.totals.get("documents")
            return node, known
        node = plan.nodes[node.parent] if node.parent is not None else None
    return None, _unaccounted(plan)


def _unaccounted(plan: Plan) -> float | None:
    """Documents that no stage owns up to: 0 where the counters of the stages add up to the total."""
    total = plan.totals.get("documents")
    if total is None or total == sum(node.documents or 0 for node in plan.nodes):
        return None if total is None else 0
    return total if len(accesses(plan, None)) == 1 else None


def _reporter(scan: Node) -> int | None:
    """The join whose counters tell of the scan."""
    return scan.parent if "reported_by" in scan.detail else None
