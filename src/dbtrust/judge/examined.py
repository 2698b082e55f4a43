"""How much a plan read for each row that it returned, with the interval that rounding leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dbtrust.judge.documents import incomplete, total_of
from dbtrust.judge.grammar import Name
from dbtrust.judge.nodes import FOREIGN, on
from dbtrust.model.plan import Node, Plan

#: Scans of relations; a Bitmap Index Scan reads no rows, its heap scan does.
_SCANS = frozenset({
    "Seq Scan", "Sample Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid Scan", "Tid Range Scan",
    FOREIGN,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examined:
    """`low` and `high` per result; `high` is None where some of it was read uncounted.

    `known` is False where the plan does not tell.
    """

    low: float
    high: float | None
    read: float
    returned: float
    node: Node | None
    known: bool = True


def examined(plan: Plan, unit: str, relation: Name | None) -> Examined:
    """Rows, keys or documents read by the wanted relation (None: all), per row that the root returned (at least 1)."""
    returned = float(plan.totals.get("returned") or 0)
    per = max(1.0, returned)
    if unit != "rows":
        return _of_totals(plan, unit, relation, returned, per)
    scans = [n for n in plan.nodes if n.type in _SCANS and on(n, relation)]
    if not scans:
        return Examined(0, 0, 0, returned, None, known=relation is None)
    low = high = 0.0
    for key, group in _by_relation(scans).items():
        group_low, group_high = _interval(plan, key, group)
        low, high = low + group_low, high + group_high
    away = next((n for n in scans if n.type == FOREIGN), None)
    busiest = away or max(scans, key=_rows)
    return Examined(low / per, None if away else high / per, (low + high) / 2, returned, busiest)


def _of_totals(plan: Plan, unit: str, relation: Name | None, returned: float, per: float) -> Examined:
    total = total_of(plan, unit, relation)
    if total is None or "returned" not in plan.totals:
        return Examined(0, 0, 0, returned, None, known=False)
    reading = [n for n in plan.nodes if getattr(n, unit) and on(n, relation)]
    busiest = max(reading, key=lambda n: getattr(n, unit), default=None)
    more = incomplete(plan, relation)
    return Examined(total / per, None if more else total / per, float(total), returned, more or busiest)


def _by_relation(scans: list[Node]) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for node in scans:
        key = f"{node.root_schema or node.schema}.{node.root_relation or node.relation}"
        groups.setdefault(key, []).append(node)
    return groups


def _rows(node: Node) -> float:
    return sum(value or 0 for value in _parts(node)) * (node.loops or 0)


def _parts(node: Node) -> tuple[float | None, float | None, float | None, float | None]:
    return node.rows, node.removed_filter, node.removed_recheck, node.removed_join


def _interval(plan: Plan, key: str, scans: list[Node]) -> tuple[float, float]:
    """The least and the most that the figures of these scans can mean.

    Each is an average over loops: rounded to an integer before PostgreSQL 18; from there the rows to 1/100 and
    what was removed still to an integer (explain.c, show_instrumentation_count). One loop is exact; so are the
    server's own counters where they were read. Rows are whole, so an interval ends at integers.
    """
    if all((n.loops or 0) <= 1 for n in scans):
        return (total := sum(map(_rows, scans))), total
    if plan.relation_reads and key in plan.relation_reads:
        exact = plan.relation_reads[key]
        return exact, exact
    fine = int(plan.server_version.split(".")[0] or 0) >= 18
    low = high = 0.0
    for node in scans:
        node_low, node_high = _rounded(node, fine)
        low, high = low + node_low, high + node_high
    return low, max(low, high)


def _rounded(node: Node, fine: bool) -> tuple[float, float]:
    """One scan's rows in all loops, between what its rounded averages allow."""
    loops = node.loops or 0
    if loops <= 1:
        return _rows(node), _rows(node)
    low = high = 0.0
    for number, value in enumerate(_parts(node)):
        if value is not None:
            half = 0.005 if fine and number == 0 else 0.5
            low += max(0.0, math.ceil((value - half) * loops - 1e-6))
            high += math.floor((value + half) * loops + 1e-6)
    return low, high
