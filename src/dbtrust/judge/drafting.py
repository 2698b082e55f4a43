"""Claims that are true of the plans that were seen, with headroom where they name a number."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from dbtrust.judge.examined import examined
from dbtrust.model.plan import Node, Plan

#: A budget is so many times what was seen, rounded up to two digits.
HEADROOM = 2
#: A relation with fewer rows says nothing about its indexes: the planner reads it as a whole.
FEW_ROWS = 100
_SEQUENTIAL = frozenset({"Seq Scan", "Sample Scan"})
_READING = frozenset({
    "Seq Scan", "Sample Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan", "Tid Range Scan",
})  # fmt: skip
_SORTS = frozenset({"Sort", "Incremental Sort", "SORT", "$sort"})
_ID = frozenset({"IDHACK", "EXPRESS_CLUSTERED_IXSCAN"})
_MONGO_NAME = r"[\w$.\-]+"
Relation = tuple[str, str]


def budget(seen: float) -> int:
    """The number of a claim `at most N`: twice what was seen, rounded up to two digits, at least 1."""
    wanted = max(1.0, seen * HEADROOM)
    step = 10 ** max(0, math.floor(math.log10(wanted)) - 1)
    return math.ceil(wanted / step) * step


def relation_of(node: Node) -> Relation:
    """(schema, name); a partition counts as its parent."""
    schema = node.root_schema if node.root_relation else node.schema
    return schema or "", node.root_relation or node.relation or ""


def relations_read(plans: Iterable[Plan]) -> set[Relation]:
    """The relations of PostgreSQL plans whose rows some node reads."""
    return {relation_of(n) for plan in plans for n in plan.nodes if n.type in _READING}


def scanned(plans: Iterable[Plan]) -> set[Relation]:
    """The relations that some plan reads as a whole."""
    return {relation_of(n) for plan in plans for n in plan.nodes if n.type in _SEQUENTIAL}


def draft_postgres(plans: Sequence[Plan], *, ordered: bool) -> list[str]:
    """The claims that every one of the plans keeps. `ordered`: the statement asks for an order or for groups."""
    if not plans or any(plan.unknown or not plan.nodes for plan in plans):
        return []
    claims = list(_indexes(plans))
    by_index = {relation for plan in plans for _, relation in _uses(plan)}
    claims += [f"no seq scan on {_relation(r)}" for r in sorted(by_index - scanned(plans))]
    if claims and ordered and not any(n.type in _SORTS for plan in plans for n in plan.nodes):
        claims.append("no sort")
    if relations_read(plans) and (most := _most(plans, "rows")) is not None:
        claims.append(f"examines at most {budget(most)} rows per result")
    costs = [float(plan.totals["cost"]) for plan in plans if plan.totals.get("cost") is not None]
    if len(costs) == len(plans):
        claims.append(f"cost at most {budget(max(costs))}")
    return claims


def _most(plans: Iterable[Plan], unit: str) -> float | None:
    """The most that a plan examined for one result; None where one does not tell."""
    seen = [examined(plan, unit, None) for plan in plans]
    found = [one.high for one in seen if one.known and one.high is not None]
    return max(found) if found and len(found) == len(seen) else None


def _uses(plan: Plan) -> set[tuple[str, Relation]]:
    return {(n.root_index or n.index, relation_of(n)) for n in plan.nodes if n.index and n.relation}


def _indexes(plans: Sequence[Plan]) -> Iterator[str]:
    common = _uses(plans[0])
    for plan in plans:
        common &= _uses(plan)
    for index, relation in sorted(common, key=lambda pair: (pair[1], pair[0])):
        nodes = [n for p in plans for n in p.nodes if (n.root_index or n.index) == index]
        only = all(n.type == "Index Only Scan" and not n.heap_fetches for n in nodes)
        yield f"uses {_name(index)} on {_relation(relation)}{' index only' if only else ''}"


def _relation(relation: Relation) -> str:
    schema, name = relation
    return _name(name) if schema in ("", "public") else f"{_name(schema)}.{_name(name)}"


def _name(name: str, pattern: str = r"[\w$]+") -> str:
    return name if re.fullmatch(pattern, name) else '"' + name.replace('"', '""') + '"'


def draft_mongo(commands: Sequence[Sequence[Plan]], *, filled: bool) -> list[str]:
    """The claims that the plans of every example keep; each example is one command and may have several plans.

    MongoDB answers by an index whatever the number of documents; a budget says something where the collection
    is `filled`.
    """
    plans = [plan for command in commands for plan in command]
    if not plans or any(plan.unknown or not plan.nodes for plan in plans):
        return []
    claims = list(_mongo_scans(commands, plans))
    if claims and _asks_for_order(plans) and not any(n.type in _SORTS for p in plans for n in p.nodes):
        claims.append("no sort")
    if not filled:
        return claims
    if claims and all(plan.totals.get("documents") == 0 and plan.totals.get("keys") for plan in plans):
        claims.append("covered")
    return [*claims, *_mongo_budgets(plans)]


def _mongo_scans(commands: Sequence[Sequence[Plan]], plans: Sequence[Plan]) -> Iterator[str]:
    by_id = all(any(n.type in _ID for n in plan.nodes) for plan in plans)
    if by_id:
        yield "id lookup"
    used = _common_indexes(commands)
    yield from (f"uses {_name(index, _MONGO_NAME)}" for index in sorted(used) if not by_id)
    if (by_id or used) and not any(n.type == "COLLSCAN" for plan in plans for n in plan.nodes):
        yield "no collection scan"


def _mongo_budgets(plans: Sequence[Plan]) -> Iterator[str]:
    for unit in ("keys", "documents"):
        most = _most(plans, unit)
        scan = any(n.type == "COLLSCAN" for plan in plans for n in plan.nodes)
        if most is not None and not (unit == "keys" and scan):
            yield f"examines at most {budget(most)} {unit} per result"


def _asks_for_order(plans: Iterable[Plan]) -> bool:
    return all('"sort"' in plan.command or '"$sort"' in plan.command for plan in plans)


def _common_indexes(commands: Sequence[Sequence[Plan]]) -> set[str]:
    """Indexes by which a part of every example's command is answered."""
    used = [{n.index for plan in command for n in plan.nodes if n.index} for command in commands]
    return {index for index in used[0] if all(index in others for others in used)}
