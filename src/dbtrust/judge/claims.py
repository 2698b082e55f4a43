"""The verdict of one claim over one plan (PostgreSQL) or over the plans of a method's commands (MongoDB)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbtrust.judge.examined import examined
from dbtrust.judge.grammar import Claim, Name
from dbtrust.model.plan import Node, Plan
from dbtrust.model.report import Outcome
from dbtrust.model.words import nearest


@dataclass(frozen=True, slots=True)
class Judged:
    """An outcome before it has a subject. `node` is the plan node that decided, `found` goes into the evidence."""

    outcome: Outcome
    message: str
    reason: str = ""
    node: Node | None = None
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])
    next: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What exists on the server: (schema, name) pairs; the schema is "" on MongoDB."""

    relations: frozenset[tuple[str, str]] = frozenset()
    indexes: frozenset[tuple[str, str]] = frozenset()
    constraints: frozenset[tuple[str, str]] = frozenset()


def _exists(name: Name, known: Iterable[tuple[str, str]]) -> bool:
    return any(n == name.name and (name.schema is None or s == name.schema) for s, n in known)


def missing_object(claim: Claim, names: Names) -> Judged | None:
    """Refuted where the claim names an index, relation or constraint that does not exist."""
    at = claim.at[1] if claim.at else None
    for what, name, known in (
        ("index", claim.index, names.indexes), ("relation", claim.relation, names.relations),
        ("constraint", claim.constraint, names.constraints | names.indexes), ("relation", at, names.relations),
    ):  # fmt: skip
        if name is not None and not _exists(name, known):
            close = nearest(name.name, sorted({n for _, n in known}))
            step = f"did you mean {close}?" if close else f"create the {what} or mend the claim"
            return Judged("refuted", f"there is no {what} {name}", "missing_object", next=step)
    return None


def judge(claim: Claim, plan: Plan, names: Names) -> Judged:
    """One claim over one plan; a node or explain version that is not known makes it unproved."""
    if (missing := missing_object(claim, names)) is not None:
        return missing
    if plan.unknown:
        return Judged(
            "unproved",
            f"the plan holds {', '.join(plan.unknown)}, which this dbtrust does not know",
            "version",
        )
    return _RULES[claim.kind](claim, plan)


def judge_commands(claim: Claim, plans: Sequence[Plan], names: Names) -> Judged:
    """`uses` must hold for at least one command of the method, everything else for every one."""
    if (missing := missing_object(claim, names)) is not None:
        return missing
    if not plans:
        return Judged("unproved", "the method sent no command that can be explained", "server_error")
    results = [judge(claim, plan, names) for plan in plans]
    order: dict[str, int] = {"refuted": 0, "unproved": 1, "not_applicable": 2, "holds": 3}
    if claim.kind == "uses":
        return max(results, key=lambda r: order[r.outcome])
    return min(results, key=lambda r: order[r.outcome])


def _on(node: Node, name: Name | None) -> bool:
    """Is this node's relation the one named? A partition counts as its parent."""
    if name is None:
        return True
    own = node.relation == name.name and name.schema in (None, node.schema)
    root = node.root_relation == name.name and name.schema in (None, node.root_schema)
    return own or root


def _has_index(node: Node, name: Name | None) -> bool:
    if name is None:
        return False
    own = node.index == name.name and name.schema in (None, node.schema)
    root = node.root_index == name.name and name.schema in (None, node.root_schema)
    return own or root


def _label(node: Node) -> str:
    index = f" using {node.index}" if node.index else ""
    relation = f" on {node.relation}" if node.relation else ""
    return f"{node.type}{index}{relation} (node {node.id})"


def _access(plan: Plan, relation: Name | None) -> list[Node]:
    """The nodes that read a relation."""
    return [
        n
        for n in plan.nodes
        if (n.relation or n.type in _MONGO_SCANS) and n.type not in _NO_ACCESS and _on(n, relation)
    ]


_NO_ACCESS = frozenset({"ModifyTable", "Bitmap Index Scan"})
_MONGO_SCANS = frozenset({"COLLSCAN", "IXSCAN", "IDHACK"})


def _uses(claim: Claim, plan: Plan) -> Judged:
    nodes = [n for n in plan.nodes if _has_index(n, claim.index)]
    if not nodes:
        return Judged(
            "refuted",
            f"{claim.index} is not used: found {_accesses(plan, claim.relation)}",
            node=_first(plan, claim.relation),
            next="see the plan",
        )
    there = [n for n in nodes if _on(n, claim.relation)]
    if not there:
        return Judged(
            "refuted", f"{claim.index} is used on {nodes[0].relation}, not on {claim.relation}", node=nodes[0]
        )
    if claim.index_only:
        return _only_index(there[:1] if len(there) == 1 else there, any_of=True)
    if claim.covered:
        return _covered_nodes(plan, there[0])
    return Judged("holds", f"found {_label(there[0])}", node=there[0])


def _first(plan: Plan, relation: Name | None) -> Node | None:
    found = _access(plan, relation) or _access(plan, None)
    return found[0] if found else None


def _accesses(plan: Plan, relation: Name | None) -> str:
    nodes = _access(plan, relation)
    return ", ".join(_label(n) for n in nodes) or "no access" + (
        f" to {relation}" if relation else " to a relation"
    )


def _only_index(nodes: Sequence[Node], *, any_of: bool) -> Judged:
    bad = [n for n in nodes if n.type != "Index Only Scan"]
    fetching = [n for n in nodes if n.type == "Index Only Scan" and (n.heap_fetches or 0) > 0]
    good = [n for n in nodes if n not in bad and n not in fetching]
    if good and (any_of or len(good) == len(nodes)):
        return Judged("holds", f"found {_label(good[0])} with 0 heap fetches", node=good[0])
    if fetching and (any_of or not bad):
        return Judged(
            "refuted",
            f"{_label(fetching[0])} fetched {fetching[0].heap_fetches} rows from the heap",
            node=fetching[0],
        )
    return Judged(
        "refuted",
        f"found {_label(bad[0])}, which reads the heap",
        node=bad[0],
        next="does the index hold every column that the query needs?",
    )


def _index_only(claim: Claim, plan: Plan) -> Judged:
    nodes = _access(plan, claim.relation)
    if not nodes:
        return Judged("refuted", f"the plan does not read {claim.relation or 'any relation'}")
    if not plan.analyzed:
        return Judged(
            "unproved",
            "heap fetches are known only after execution",
            "undecided",
            next="allow ANALYZE with --analyze",
        )
    return _only_index(nodes, any_of=False)


def _covered(claim: Claim, plan: Plan) -> Judged:
    del claim
    return _covered_nodes(plan, plan.nodes[0] if plan.nodes else None)


def _covered_nodes(plan: Plan, node: Node | None) -> Judged:
    documents = plan.totals.get("documents")
    if documents is None:
        return Judged("unproved", "the plan does not tell the documents examined", "version")
    if documents == 0 and any(n.type == "COLLSCAN" for n in plan.nodes):
        return Judged("unproved", "the collection is scanned and holds nothing", "no_data")
    if documents == 0:
        return Judged("holds", f"0 documents examined, {plan.totals.get('keys')} keys", node=node)
    return Judged(
        "refuted",
        f"{documents} documents examined",
        node=_first(plan, None),
        next="does the index hold every field that the query needs?",
    )


def _none_of(types: Sequence[str], what: str) -> Callable[[Claim, Plan], Judged]:
    def rule(claim: Claim, plan: Plan) -> Judged:
        for node in plan.nodes:
            if node.type in types and (_on(node, claim.relation) or node.relation is None):
                return Judged("refuted", f"found {_label(node)}", node=node)
        return Judged("holds", f"no {what} in {len(plan.nodes)} nodes")

    return rule


def _examines(claim: Claim, plan: Plan) -> Judged:
    assert claim.number is not None
    if not plan.analyzed:
        return Judged(
            "unproved",
            "rows are known only after execution",
            "undecided",
            next="allow ANALYZE with --analyze",
        )
    seen = examined(plan, claim.unit, lambda node: _on(node, claim.relation))
    found = {"low": seen.low, "high": seen.high, "returned": seen.returned, "unit": claim.unit}
    per = "per result" if seen.returned else "and none returned"
    exact = f"{seen.low:g}" if seen.low == seen.high else f"{seen.low:g} to {seen.high:g}"
    message = f"{exact} {claim.unit} {per} ({seen.read:g} read, {seen.returned:g} returned)"
    if not seen.known:
        return Judged("unproved", f"the plan does not tell the {claim.unit} examined", "version", found=found)
    if seen.high <= claim.number:
        return Judged("holds", message, node=seen.node, found=found)
    if seen.low > claim.number:
        return Judged("refuted", f"{message}, claimed at most {claim.number:g}", node=seen.node, found=found)
    return Judged(
        "unproved",
        f"{message}: {claim.number:g} lies inside the rounding of many loops",
        "undecided",
        seen.node,
        found,
    )


def _cost(claim: Claim, plan: Plan) -> Judged:
    return _at_most(claim, plan.totals.get("cost"), "cost", plan)


def _reads(claim: Claim, plan: Plan) -> Judged:
    hit, read = plan.totals.get("hit"), plan.totals.get("read")
    total = None if hit is None or read is None else hit + read
    return _at_most(claim, total, "blocks", plan)


def _at_most(claim: Claim, value: float | None, what: str, plan: Plan) -> Judged:
    assert claim.number is not None
    if value is None:
        return Judged("unproved", f"the plan does not tell {what}", "version")
    found, node = {what: value}, plan.nodes[0]
    if value <= claim.number:
        return Judged("holds", f"{what} {value:g}, claimed at most {claim.number:g}", node=node, found=found)
    return Judged("refuted", f"{what} {value:g}, claimed at most {claim.number:g}", node=node, found=found)


def _faster(claim: Claim, plan: Plan) -> Judged:
    del plan
    return Judged("unproved", f"the gain of {claim.index} is measured, no single plan tells it", "undecided")


def _express(claim: Claim, plan: Plan) -> Judged:
    del claim
    found = next((n for n in plan.nodes if n.type.startswith("EXPRESS")), None)
    if found is not None:
        return Judged("holds", f"found {_label(found)}", node=found)
    if _major(plan.server_version) < 8:
        return Judged(
            "unproved",
            f"needs MongoDB 8.0, this is {plan.server_version}",
            "version",
            next="run on MongoDB 8.0 with --mongo URL",
        )
    return Judged("refuted", f"found {plan.nodes[0].type}, no EXPRESS stage", node=plan.nodes[0])


def _major(version: str) -> int:
    head = version.split(".")[0]
    return int(head) if head.isdigit() else 0


def _id_lookup(claim: Claim, plan: Plan) -> Judged:
    del claim
    for node in plan.nodes:
        by_id = node.index in (None, "_id_") or "_id" in str(node.detail.get("keyPattern", ""))
        if node.type == "IDHACK" or (node.type.startswith("EXPRESS") and by_id and _key_is_id(node)):
            return Judged("holds", f"found {_label(node)}", node=node)
    node = plan.nodes[0] if plan.nodes else None
    return Judged("refuted", f"found {_accesses(plan, None)}, no lookup by _id", node=node)


def _key_is_id(node: Node) -> bool:
    """EXPRESS_CLUSTERED_IXSCAN has no key pattern; EXPRESS_IXSCAN writes it as text, "{ _id: 1 }"."""
    pattern = node.detail.get("keyPattern")
    return (
        node.type == "EXPRESS_CLUSTERED_IXSCAN"
        or pattern in ("{ _id: 1 }", {"_id": 1})
        or node.index == "_id_"
    )


_RULES: dict[str, Callable[[Claim, Plan], Judged]] = {
    "uses": _uses, "index_only": _index_only, "covered": _covered,
    "no_seq_scan": _none_of(["Seq Scan", "Sample Scan"], "sequential scan"),
    "no_collection_scan": _none_of(["COLLSCAN"], "collection scan"),
    "no_sort": _none_of(["Sort", "Incremental Sort", "SORT", "$sort"], "sort"),
    "examines": _examines, "cost": _cost, "reads": _reads, "faster": _faster, "express": _express,
    "id_lookup": _id_lookup,
}  # fmt: skip
