"""The verdict of one claim over one plan (PostgreSQL) or over the plans of a method's commands (MongoDB)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbtrust.judge.documents import documents_behind, fetching, idle_lookup, incomplete, total_of
from dbtrust.judge.examined import examined
from dbtrust.judge.grammar import Claim, Name
from dbtrust.judge.nodes import (
    accesses,
    amount,
    condition,
    filtered,
    first,
    foreign,
    has_index,
    label,
    listed,
    on,
    ran,
    readers,
)
from dbtrust.judge.sorts import SORTS, sorting
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


_Hidden = Callable[[Plan, Name | None], Node | None]


@dataclass(frozen=True, slots=True)
class Names:
    """What exists on the server: (schema, name) pairs; the schema is "" on MongoDB."""

    relations: frozenset[tuple[str, str]] = frozenset()
    indexes: frozenset[tuple[str, str]] = frozenset()
    constraints: frozenset[tuple[str, str]] = frozenset()
    #: Those of the relations that are views: no plan names them.
    views: frozenset[tuple[str, str]] = frozenset()
    #: PostgreSQL: an index's method, keys and predicate as SQL writes them behind USING.
    keys: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str], kw_only=True)


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
    if (unknowable := _view(claim, names) or _absent(plan, names)) is not None:
        return unknowable
    if plan.unknown and plan.command and not plan.nodes and not plan.analyzed:
        return Judged("unproved", "; ".join(plan.unknown), "server_error")  # a command that was not explained
    if plan.unknown:
        return Judged(
            "unproved",
            f"the plan holds {', '.join(plan.unknown)}, which this dbtrust does not know",
            "version",
        )
    return _RULES[claim.kind](claim, plan)


def _view(claim: Claim, names: Names) -> Judged | None:
    """Unproved where a claim is about a view: the server puts its query in its place before it plans."""
    if claim.relation is None or not _exists(claim.relation, names.views):
        return None
    if _exists(claim.relation, names.relations - names.views):
        return None
    step = "name a relation that the view reads"
    return Judged("unproved", f"{claim.relation} is a view: no plan names it", "undecided", next=step)


def _absent(plan: Plan, names: Names) -> Judged | None:
    """Unproved where a command reads a collection that does not exist: MongoDB answers it without any access."""
    if plan.engine != "mongo":
        return None
    known = {name for _, name in names.relations}
    for node in readers(plan):
        relation = node.relation or ""
        if relation not in known and not relation.startswith("system."):
            close = nearest(relation, sorted(known))
            step = f"did you mean {close}?" if close else "create it, in a migration or a declared collection"
            message = f"the command reads {relation}, a collection that does not exist ({label(node)})"
            return Judged("unproved", message, "no_data", node, next=step)
    return None


def beside(claim: Claim, claims: Sequence[Claim]) -> list[Claim]:
    """The other claims that the same plan can answer: at the same number of rows, and not about a gain."""
    return [c for c in claims if c.text != claim.text and c.at == claim.at and c.kind != "faster"]


def needs_execution(claim: Claim) -> bool:
    """Is a claim about what a run of the statement did, and not about the plan alone?"""
    return claim.kind in ("examines", "reads", "index_only") or claim.index_only


def judge_commands(claim: Claim, plans: Sequence[Plan], names: Names) -> Judged:
    """`uses` must hold for at least one command of the method, everything else for every one."""
    if (missing := missing_object(claim, names)) is not None:
        return missing
    if not plans:
        return Judged("unproved", "the method sent no command that can be explained", "server_error")
    about = [plan for plan in plans if _about(claim, plan)]
    if not about:
        read = "; ".join(listed(plan, None) for plan in plans)
        return Judged("refuted", f"no command of the method reads {claim.relation}: found {read}")
    results = [judge(claim, plan, names) for plan in about]
    order: dict[str, int] = {"refuted": 0, "unproved": 1, "not_applicable": 2, "holds": 3}
    if claim.kind == "uses":
        # Of commands that fail the claim the one that has the index tells most.
        near = [any(has_index(node, claim.index) for node in plan.nodes) for plan in about]
        return max(zip(results, near, strict=True), key=lambda pair: (order[pair[0].outcome], pair[1]))[0]
    return min(results, key=lambda r: order[r.outcome])


def _about(claim: Claim, plan: Plan) -> bool:
    """Does a claim on what one collection costs concern this command? What is not understood does."""
    if claim.relation is None or claim.kind not in ("covered", "examines") or plan.unknown:
        return True
    return any(on(node, claim.relation) for node in plan.nodes)


def _uses(claim: Claim, plan: Plan) -> Judged:
    nodes = [n for n in plan.nodes if has_index(n, claim.index)]
    if not nodes and (idle := idle_lookup(plan, claim.relation)) is not None:
        message = f"{claim.index} is not seen, but {label(idle)} does not show how it reads"
        return Judged(
            "unproved", message, "no_data", idle, next="give an example that joins several documents"
        )
    if not nodes:
        node = first(plan, claim.relation)
        looked_for = condition(node)
        step = (
            f"can {claim.index} find {looked_for}?"
            if looked_for
            else "mend the query, the index or the claim"
        )
        message = f"{claim.index} is not used: found {listed(plan, claim.relation)}"
        return Judged("refuted", message, node=node, next=step)
    there = [n for n in nodes if on(n, claim.relation)]
    if not there:
        message = (
            f"{claim.index} is used on {nodes[0].relation}, not on {claim.relation}: found {label(nodes[0])}"
        )
        return Judged("refuted", message, node=nodes[0], next=f"claim it on {nodes[0].relation}")
    if claim.index_only:
        return _only_index(there, plan, any_of=True)
    if claim.covered:
        return _covered_scan(plan, there)
    best = next(filter(ran, there), there[0])
    return Judged("holds", f"found {label(best)}", node=best)


def _only_index(nodes: Sequence[Node], plan: Plan, *, any_of: bool) -> Judged:
    """Each of the nodes (one of them with `any_of`) is an Index Only Scan that ran and fetched no row."""
    bad = [n for n in nodes if n.type != "Index Only Scan"]
    if not plan.analyzed and len(bad) < len(nodes if any_of else [1, *bad]):
        message = "heap fetches are known only after execution"
        return Judged("unproved", message, "undecided", next="allow ANALYZE with --analyze")
    fetched = [n for n in nodes if n not in bad and (n.heap_fetches or 0) > 0]
    good = [n for n in nodes if n not in bad and n not in fetched]
    if bad and not (any_of and (good or fetched)):
        step = "does the index hold every column that the query needs?"
        return Judged(
            "refuted", f"found {label(bad[0])}, which reads {_what(bad[0])}", node=bad[0], next=step
        )
    if fetched and not (any_of and good):
        message = f"{label(fetched[0])} fetched {fetched[0].heap_fetches:,.0f} rows from the heap"
        step = "were its pages changed after the last VACUUM?"
        return Judged("refuted", message, node=fetched[0], next=step)
    if (executed := next(filter(ran, good), None)) is None:
        message = f"{label(good[0])}: nobody knows what it would have fetched"
        return Judged("unproved", message, "no_data", good[0], next="give an example that reaches it")
    return Judged("holds", f"found {label(executed)} with 0 heap fetches", node=executed)


def _what(node: Node) -> str:
    return "a foreign server" if node.type == "Foreign Scan" else "the heap"


def _index_only(claim: Claim, plan: Plan) -> Judged:
    nodes = accesses(plan, claim.relation)
    if not nodes:
        message = f"the plan does not read {claim.relation or 'any relation'}: found {listed(plan, None)}"
        return Judged("refuted", message)
    return _only_index(nodes, plan, any_of=False)


def _covered(claim: Claim, plan: Plan) -> Judged:
    documents, more = total_of(plan, "documents", claim.relation), incomplete(plan, claim.relation)
    if more is not None and documents == 0:
        message = f"0 documents examined, but {label(more)} does not tell all that it read"
        return Judged("unproved", message, "undecided", more)
    return _covered_by(plan, documents, fetching(plan, claim.relation), first(plan, claim.relation))


def _covered_scan(plan: Plan, scans: Sequence[Node]) -> Judged:
    """`uses INDEX covered`: one of its scans leads to no document."""
    found: list[Judged] = []
    for scan in [n for n in accesses(plan, None) if n in scans] or scans:
        node, documents = documents_behind(plan, scan)
        found.append(_covered_by(plan, documents, node, scan))
    return next((f for f in found if f.outcome == "holds"), found[0])


def _covered_by(plan: Plan, documents: float | None, fetch: Node | None, scan: Node | None) -> Judged:
    """The rule of `covered`. Where nothing was found, a stage that would fetch proves nothing."""
    if documents is None:
        return Judged("unproved", "the plan does not tell the documents examined", "version", scan)
    if documents == 0 and fetch is None:
        message = f"0 documents examined, {plan.totals.get('keys')} keys"
        return Judged("holds", message + (f": {label(scan)}" if scan else ""), node=scan)
    if documents == 0:
        message = f"the example found nothing, and {label(fetch)} reads what it finds" if fetch else ""
        return Judged("unproved", message, "no_data", fetch, next="give an example that finds something")
    by = f" by {label(fetch)}" if fetch else ""
    through = f" for {label(scan)}" if scan and scan is not fetch else ""
    step = "does the index hold every field that the query needs?"
    return Judged(
        "refuted", f"{documents:,.0f} documents examined{by}{through}", node=fetch or scan, next=step
    )


def _none_of(types: Sequence[str], what: str, hidden: _Hidden) -> Callable[[Claim, Plan], Judged]:
    def rule(claim: Claim, plan: Plan) -> Judged:
        for node in plan.nodes:
            if node.type in types and (on(node, claim.relation) or node.relation is None):
                order = _order(node)
                read = f": {amount(node)}" if amount(node) else ""
                message = f"found {label(node)}{f' by {order}' if order else ''}{read}"
                return Judged("refuted", message, node=node, next=_instead(node, order))
        if (where := hidden(plan, claim.relation)) is not None:
            message = f"no {what} in sight, but {label(where)} does not show how it reads"
            return Judged(
                "unproved", message, "undecided", where, next="claim it of the query that runs there"
            )
        return Judged("holds", f"no {what} in {len(plan.nodes)} nodes")

    return rule


def _order(node: Node) -> str:
    spec = node.detail.get("Sort Key") or node.detail.get("sortPattern") or node.detail.get("spec")
    return ", ".join(map(str, spec)) if isinstance(spec, list) else str(spec or "")  # pyright: ignore[reportUnknownArgumentType]


def _instead(node: Node, order: str) -> str:
    if order:
        return "an index in that order would give the rows sorted"
    looked_for = filtered(node)
    return f"is there an index for {looked_for}?" if looked_for else "it has no condition: nothing to seek by"


def _unseen_scan(plan: Plan, relation: Name | None) -> Node | None:
    """What a foreign server scans, and a $lookup that tells of no access."""
    return foreign(plan, relation) or idle_lookup(plan, relation)


def _unseen_sort(plan: Plan, relation: Name | None) -> Node | None:
    """A foreign server's ORDER BY, and a stage that sorts in a $lookup's own pipeline."""
    del relation
    for node in plan.nodes:
        remote = node.type == "Foreign Scan" and " ORDER BY " in str(node.detail.get("Remote SQL", ""))
        if remote or (node.type == "$lookup" and sorting(node.detail.get("spec"))):
            return node
    return None


def _examines(claim: Claim, plan: Plan) -> Judged:
    assert claim.number is not None
    if not plan.analyzed:
        return Judged(
            "unproved",
            "rows are known only after execution",
            "undecided",
            next="allow ANALYZE with --analyze",
        )
    seen = examined(plan, claim.unit, claim.relation)
    found = {"low": seen.low, "high": seen.high, "returned": seen.returned, "unit": claim.unit}
    if not seen.known and plan.engine == "postgres":
        message = f"the plan does not read {claim.relation}: found {listed(plan, None)}"
        return Judged(
            "unproved", message, "undecided", found=found, next="name a relation that the plan reads"
        )
    if not seen.known:
        of = f" of {claim.relation}" if claim.relation else ""
        return Judged(
            "unproved", f"the plan does not tell the {claim.unit} examined{of}", "version", found=found
        )
    per = "per result" if seen.returned else "and none returned"
    message = f"{_range(seen.low, seen.high)} {claim.unit} {per} ({seen.read:,.15g} read, {seen.returned:g} returned)"
    claimed = f"{message}, claimed at most {claim.number:g}"
    if seen.low > claim.number:
        most = f": most of it by {label(seen.node)}" if seen.node else ""
        thrown_away = filtered(seen.node)
        step = f"is there an index for {thrown_away}?" if thrown_away else "read less, or return more of it"
        return Judged("refuted", claimed + most, node=seen.node, found=found, next=step)
    if seen.high is None:
        message = (
            f"{claimed}, but {label(seen.node)} does not tell all that it read" if seen.node else claimed
        )
        return Judged(
            "unproved",
            message,
            "undecided",
            seen.node,
            found,
            "claim it on the other relations, or what it uses",
        )
    if seen.high <= claim.number:
        return Judged("holds", message, node=seen.node, found=found)
    message = f"{message}: {claim.number:g} lies inside the rounding of many loops"
    step = f"claim at most {math.ceil(seen.high * 100) / 100:g}"
    return Judged("unproved", message, "undecided", seen.node, found, step)


def _range(low: float, high: float | None) -> str:
    if high is None:
        return f"at least {low:g}"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _cost(claim: Claim, plan: Plan) -> Judged:
    return _at_most(claim, plan.totals.get("cost"), "cost", plan, lambda node: node.cost or 0)


def _reads(claim: Claim, plan: Plan) -> Judged:
    hit, read = plan.totals.get("hit"), plan.totals.get("read")
    total = None if hit is None or read is None else hit + read
    found = _at_most(claim, total, "blocks", plan, lambda node: (node.hit or 0) + (node.read or 0))
    if found.outcome == "holds" and (where := foreign(plan, None)) is not None:
        message = f"{found.message}, but {label(where)} does not tell the blocks of the foreign server"
        return Judged("unproved", message, "undecided", where, found.found)
    return found


def _at_most(
    claim: Claim, value: float | None, what: str, plan: Plan, measure: Callable[[Node], float]
) -> Judged:
    assert claim.number is not None
    if value is None:
        return Judged("unproved", f"the plan does not tell {what}", "version")
    message = f"{what} {value:,.15g}, claimed at most {claim.number:,.15g}"
    if value <= claim.number:
        return Judged("holds", message, node=plan.nodes[0], found={what: value})
    node = _dearest(plan, measure)
    step = f"look at {label(node)}" + (f": {condition(node)}" if condition(node) else "")
    return Judged(
        "refuted", f"{message}: most of it in {label(node)}", node=node, found={what: value}, next=step
    )


def _dearest(plan: Plan, measure: Callable[[Node], float]) -> Node:
    """The node with the largest measure less its children's."""
    own = {node.id: measure(node) for node in plan.nodes}
    for node in plan.nodes:
        if node.parent is not None:
            own[node.parent] -= measure(node)
    return max(plan.nodes, key=lambda node: own[node.id])


def _faster(claim: Claim, plan: Plan) -> Judged:
    del plan
    return Judged("unproved", f"the gain of {claim.index} is measured, no single plan tells it", "undecided")


def _express(claim: Claim, plan: Plan) -> Judged:
    del claim
    found = next((n for n in plan.nodes if n.type.startswith("EXPRESS")), None)
    if found is not None:
        return Judged("holds", f"found {label(found)}", node=found)
    if _major(plan.server_version) < 8:
        return Judged(
            "unproved",
            f"needs MongoDB 8.0, this is {plan.server_version}",
            "version",
            next="run on MongoDB 8.0 with --mongo URL",
        )
    message = f"found {listed(plan, None)}, no EXPRESS stage"
    return Judged(
        "refuted", message, node=first(plan, None), next="filter one unique indexed field by one value"
    )


def _major(version: str) -> int:
    head = version.split(".")[0]
    return int(head) if head.isdigit() else 0


def _id_lookup(claim: Claim, plan: Plan) -> Judged:
    del claim
    found = [node for node in plan.nodes if _by_id(node)]
    hidden = next(filter(None, map(_keyless, plan.nodes)), None) or idle_lookup(plan, None)
    other = next((n for n in accesses(plan, None) if n not in found and n is not hidden), None)
    if other is not None or not (found or hidden):
        message = f"found {listed(plan, None)}, {'not only lookups' if found else 'no lookup'} by _id"
        return Judged("refuted", message, node=other, next="filter by _id alone, with one value")
    if hidden is not None:
        message = f"{label(hidden)} does not tell by which key it looks"
        return Judged("unproved", message, "version", hidden)
    return Judged("holds", f"found {label(found[0])}", node=found[0])


def _keyless(node: Node) -> Node | None:
    """An Express write, where the server does not show its key."""
    writes = ("EXPRESS_UPDATE", "EXPRESS_DELETE")
    shown = "keyPattern" in node.detail or node.index is not None
    return node if node.type in writes and not shown else None


def _by_id(node: Node) -> bool:
    """EXPRESS_CLUSTERED_IXSCAN has no key pattern; EXPRESS_IXSCAN writes it as text, "{ _id: 1 }"."""
    if node.type in ("IDHACK", "EXPRESS_CLUSTERED_IXSCAN"):
        return True
    pattern = node.detail.get("keyPattern")
    return node.type.startswith("EXPRESS") and (pattern in ("{ _id: 1 }", {"_id": 1}) or node.index == "_id_")


_RULES: dict[str, Callable[[Claim, Plan], Judged]] = {
    "uses": _uses, "index_only": _index_only, "covered": _covered,
    "no_seq_scan": _none_of(["Seq Scan", "Sample Scan"], "sequential scan", _unseen_scan),
    "no_collection_scan": _none_of(["COLLSCAN"], "collection scan", _unseen_scan),
    "no_sort": _none_of(["Sort", "Incremental Sort", *SORTS], "sort", _unseen_sort),
    "examines": _examines, "cost": _cost, "reads": _reads, "faster": _faster, "express": _express,
    "id_lookup": _id_lookup,
}  # fmt: skip
