"""How much a plan read for each row that it returned, with the interval that rounding leaves open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dbtrust.model.plan import Node, Plan

#: Scans of relations; a Bitmap Index Scan reads no rows, its heap scan does.
_SCANS = frozenset(
    {
        "Seq Scan",
        "Sample Scan",
        "Index Scan",
        "Index Only Scan",
        "Bitmap Heap Scan",
        "Tid Scan",
        "Tid Range Scan",
        "Foreign Scan",
    }
)


@dataclass(frozen=True, slots=True)
class Examined:
    """`low` and `high` per result; `known` is False where the plan does not tell."""

    low: float
    high: float
    read: float
    returned: float
    node: Node | None
    known: bool = True


def examined(plan: Plan, unit: str, wanted: Callable[[Node], bool]) -> Examined:
    """Rows, keys or documents read by the wanted relations, per row that the root returned (at least 1)."""
    returned = float(plan.totals.get("returned") or 0)
    if unit != "rows":
        return _of_totals(plan, unit, wanted, returned)
    scans = [n for n in plan.nodes if n.type in _SCANS and wanted(n)]
    if not scans:
        return Examined(0, 0, 0, returned, None, known=False)
    low = high = 0.0
    for key, group in _by_relation(scans).items():
        group_low, group_high = _interval(plan, key, group)
        low, high = low + group_low, high + group_high
    busiest = max(scans, key=_rows)
    per = max(1.0, returned)
    return Examined(low / per, high / per, (low + high) / 2, returned, busiest)


def _of_totals(plan: Plan, unit: str, wanted: Callable[[Node], bool], returned: float) -> Examined:
    total = plan.totals.get(unit)
    if total is None:
        return Examined(0, 0, 0, returned, None, known=False)
    leaf = next(
        (n for n in plan.nodes if getattr(n, unit) and wanted(n)), plan.nodes[0] if plan.nodes else None
    )
    per = float(total) / max(1.0, returned)
    return Examined(per, per, float(total), returned, leaf)


def _by_relation(scans: list[Node]) -> dict[str, list[Node]]:
    groups: dict[str, list[Node]] = {}
    for node in scans:
        groups.setdefault(
            f"{node.root_schema or node.schema}.{node.root_relation or node.relation}", []
        ).append(node)
    return groups


def _rows(node: Node) -> float:
    per_loop = (
        (node.rows or 0) + (node.removed_filter or 0) + (node.removed_recheck or 0) + (node.removed_join or 0)
    )
    return per_loop * (node.loops or 0)


def _interval(plan: Plan, key: str, scans: list[Node]) -> tuple[float, float]:
    """Each figure is an average over loops, rounded to an integer before PostgreSQL 18 and to 1/100 from there.

    One loop is exact; so are the server's own counters where they were read.
    """
    if all((n.loops or 0) <= 1 for n in scans):
        return (total := sum(map(_rows, scans))), total
    if plan.relation_reads and key in plan.relation_reads:
        exact = plan.relation_reads[key]
        return exact, exact
    half = 0.005 if int(plan.server_version.split(".")[0] or 0) >= 18 else 0.5
    low = high = 0.0
    for node in scans:
        parts = [
            v
            for v in (node.rows, node.removed_filter, node.removed_recheck, node.removed_join)
            if v is not None
        ]
        loops = node.loops or 0
        slack = half * loops * len(parts) if loops > 1 else 0.0
        low, high = low + max(0.0, _rows(node) - slack), high + _rows(node) + slack
    return low, high
