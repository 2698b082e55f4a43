"""A plan as rows of a table: depth, label, measures and conditions, ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.report.words import flat, number

_Node = Mapping[str, Any]
#: An estimate this many times off is marked.
_FAR_OFF = 10
#: Column -> the counters of which one must be there for the column to be shown.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "rows": ("rows", "estimated_rows"),
    "loops": ("loops",),
    "cost": ("cost",),
    "time": ("self_ms", "time_ms"),
    "blocks": ("hit", "read"),
    "keys": ("keys",),
    "documents": ("documents",),
}
HEADINGS = {
    "rows": "rows: estimated → actual", "loops": "loops", "cost": "cost", "time": "own time, ms",
    "blocks": "blocks: hit + read", "keys": "keys", "documents": "documents",
}  # fmt: skip
_TOTALS = {
    "returned": "returned", "keys": "keys", "documents": "documents", "cost": "cost", "hit": "blocks hit",
    "read": "blocks read", "planning_ms": "planning ms", "execution_ms": "execution ms",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One node. `cells` has a text for each column of the plan; `share` is its own time in percent of all.

    `label` is what the server calls the part that begins here ("CTE recent", "SubPlan 1").
    """

    id: int
    depth: int
    label: str
    type: str
    target: str
    cells: tuple[str, ...]
    conditions: tuple[tuple[str, str], ...]
    share: int
    far_off: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """`columns` are keys of HEADINGS, in the order of every row's cells."""

    title: str
    command: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


def plan_view(plan: Mapping[str, Any]) -> PlanView:
    """Plan.to_dict() for reading. A node whose parent is not in the plan is shown as a root."""
    nodes = cast("list[_Node]", plan["nodes"])
    columns = tuple(
        name
        for name, counters in COLUMNS.items()
        if any(n.get(c) is not None for n in nodes for c in counters)
    )
    own = {n.get("id"): max(0.0, float(n.get("self_ms") or 0)) for n in nodes}
    whole = sum(own.values())
    rows = tuple(
        _row(n, depth, columns, own[n.get("id")] / whole if 0 < whole < math.inf else 0)
        for n, depth in _walk(nodes)
    )
    totals = cast("Mapping[str, Any]", plan.get("totals") or {})
    shown = tuple(
        (label, number(totals[key])) for key, label in _TOTALS.items() if totals.get(key) is not None
    )
    root = node_label(nodes[0]) if nodes else "empty plan"
    return PlanView(
        root,
        str(plan.get("command") or ""),
        columns,
        rows,
        shown,
        tuple(str(u) for u in plan.get("unknown") or ()),
    )


def _walk(nodes: list[_Node]) -> Iterator[tuple[_Node, int]]:
    """Every node with its depth, parents first, once each."""
    known = {n.get("id") for n in nodes}
    below: dict[Any, list[_Node]] = {}
    for node in nodes:
        parent = node.get("parent")
        below.setdefault(parent if parent in known and parent != node.get("id") else None, []).append(node)
    stack = [(node, 0) for node in reversed(below.get(None, []))]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack += [(child, depth + 1) for child in reversed(below.pop(node.get("id"), []))]


def _row(node: _Node, depth: int, columns: tuple[str, ...], share: float) -> Row:
    cells = tuple(_CELLS[name](node) for name in columns)
    return Row(
        node.get("id") or 0,
        depth,
        str(_detail(node).get("Subplan Name") or ""),
        _type(node),
        _target(node),
        cells,
        _conditions(node),
        round(share * 100),
        _far_off(node),
    )


def node_label(node: _Node) -> str:
    """Index Scan using INDEX on SCHEMA.RELATION alias"""
    return f"{_type(node)} {target}" if (target := _target(node)) else _type(node)


def _detail(node: _Node) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", node.get("detail") or {})


def _type(node: _Node) -> str:
    """Parallel Seq Scan, Partial Aggregate, Hash Left Join: as EXPLAIN's text format says it."""
    kind, detail = str(node["type"]), _detail(node)
    if detail.get("Join Type") not in (None, "Inner"):
        kind = f"{kind.removesuffix(' Join')} {detail['Join Type']} Join"
    if detail.get("Partial Mode") in ("Partial", "Finalize"):
        kind = f"{detail['Partial Mode']} {kind}"
    return f"Parallel {kind}" if detail.get("Parallel Aware") is True else kind


def _target(node: _Node) -> str:
    """using INDEX on SCHEMA.RELATION alias"""
    index = f"using {node['index']}" if node.get("index") else ""
    relation = str(node.get("relation") or "")
    if relation and node.get("schema"):
        relation = f"{node['schema']}.{relation}"
    alias = f" {node['alias']}" if node.get("alias") and node["alias"] != node.get("relation") else ""
    return " ".join(part for part in (index, f"on {relation}{alias}" if relation else "") if part)


_REMOVED = {
    "removed_filter": "the filter",
    "removed_recheck": "the index recheck",
    "removed_join": "the join filter",
}


#: Said by the row itself, or by where it stands.
_SAID = frozenset({
    "Shared Hit Blocks", "Shared Read Blocks", "Parent Relationship", "Subplan Name", "Parallel Aware", "Join Type",
})  # fmt: skip
_USUAL = (
    ("Scan Direction", "Forward"),
    ("Partial Mode", "Simple"),
    ("Partial Mode", "Partial"),
    ("Partial Mode", "Finalize"),
)


def _is_plain(key: str, value: Any) -> bool:
    """Does the table say this already, or is it so nearly always?"""
    return value in (False, None) or key in _SAID or (key, value) in _USUAL


def _conditions(node: _Node) -> tuple[tuple[str, str], ...]:
    shown = [("never executed", "")] if node.get("loops") == 0 else []
    shown += [
        (key.replace("_", " "), flat(value))
        for key, value in _detail(node).items()
        if not _is_plain(key, value)
    ]
    shown += [("rows removed by " + why, number(node[key])) for key, why in _REMOVED.items() if node.get(key)]
    if node.get("heap_fetches") is not None:
        shown.append(("heap fetches", number(node["heap_fetches"])))
    return tuple(shown)


def _far_off(node: _Node) -> str:
    """How far the estimate is from what came, where it is far."""
    estimated, actual = node.get("estimated_rows"), node.get("rows")
    if estimated is None or actual is None or node.get("loops") == 0:
        return ""
    ratio = max(estimated, 1) / max(actual, 1)
    if ratio >= _FAR_OFF:
        return f"{number(round(ratio))}× too high"
    return f"{number(round(1 / ratio))}× too low" if ratio <= 1 / _FAR_OFF else ""


def _rows(node: _Node) -> str:
    return " → ".join(
        _or_dash(node.get(key))
        for key in ("estimated_rows", "rows")
        if key == "rows" or node.get(key) is not None
    )


def _cost(node: _Node) -> str:
    start = node.get("startup_cost")
    return (
        f"{number(start)} … {_or_dash(node.get('cost'))}" if start is not None else _or_dash(node.get("cost"))
    )


def _time(node: _Node) -> str:
    own = node.get("self_ms")
    return _or_dash(node.get("time_ms") if own is None else own)


def _blocks(node: _Node) -> str:
    if node.get("hit") is None and node.get("read") is None:
        return "–"
    return " + ".join(_or_dash(node.get(key)) for key in ("hit", "read"))


def _or_dash(value: Any) -> str:
    return "–" if value is None else number(value)


def _count(counter: str) -> Callable[[_Node], str]:
    return lambda node: _or_dash(node.get(counter))


_CELLS: Mapping[str, Callable[[_Node], str]] = {
    "rows": _rows,
    "loops": _count("loops"),
    "cost": _cost,
    "time": _time,
    "blocks": _blocks,
    "keys": _count("keys"),
    "documents": _count("documents"),
}
