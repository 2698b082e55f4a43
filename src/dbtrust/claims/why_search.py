"""Plans that the planner would make if it could not make the one that it chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import psycopg

from dbtrust.claims.why_lab import Asked, Lab
from dbtrust.model.plan import Node, Plan
from dbtrust.model.whatif import Index, Table

#: How many settings and indexes may be taken away together, and how many sets of them are tried.
DEPTH, TRIES = 4, 120
_SETTINGS = {
    "Seq Scan": "enable_seqscan", "Index Scan": "enable_indexscan", "Index Only Scan": "enable_indexonlyscan",
    "Bitmap Heap Scan": "enable_bitmapscan", "Tid Scan": "enable_tidscan", "Sort": "enable_sort",
    "Incremental Sort": "enable_incremental_sort", "Hash Join": "enable_hashjoin",
    "Merge Join": "enable_mergejoin", "Nested Loop": "enable_nestloop", "Materialize": "enable_material",
    "Memoize": "enable_memoize",
}  # fmt: skip
#: What a node costs more for each thing below it that is switched off, up to PostgreSQL 17 (costsize.c).
_PENALTY = 1e10


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that is taken from the planner: a setting or an index."""

    label: str
    setting: tuple[str, str] | None = None
    index: Index | None = None


@dataclass(slots=True)
class Search:
    """What a search saw: every plan once, and those that the goal accepts with what was taken away for them."""

    plans: list[Plan] = field(default_factory=list[Plan])
    found: list[tuple[Plan, tuple[Move, ...]]] = field(default_factory=list["tuple[Plan, tuple[Move, ...]]"])
    tried: int = 0

    @property
    def best(self) -> tuple[Plan, tuple[Move, ...]] | None:
        """The cheapest of the plans found with the fewest things taken away."""
        return min(self.found, key=lambda item: float(item[0].totals.get("cost") or 0), default=None)


def search(
    lab: Lab, asked: Asked, goal: Callable[[Plan], bool], tables: Sequence[Table], *,
    executed: bool, spare: str = "", tries: int = TRIES,
) -> Search:  # fmt: skip
    """Takes away what the plans at hand use, one thing more a round, until a plan meets the goal.

    `executed`: the goal wants executed plans. `spare` is the name of an index that is never hidden.
    """
    hidden = {
        index.name: index
        for table in tables
        for index in table.indexes
        if index.name != spare and (lab.superuser or not index.backs)
    }
    result = Search([lab.plan(asked, analyze=False)])
    shapes, sets = {shape(result.plans[0])}, set[frozenset[Move]]()
    front: list[tuple[tuple[Move, ...], Plan]] = [((), result.plans[0])]
    for _ in range(DEPTH):
        following: list[tuple[tuple[Move, ...], Plan]] = []
        for moves, plan in front:
            for move in _moves(plan, hidden):
                chosen = frozenset((*moves, move))
                if chosen in sets or move in moves or result.tried >= tries or lab.over():
                    continue
                sets.add(chosen)
                result.tried += 1
                other = _try(lab, asked, (*moves, move), executed=executed, goal=goal, seen=shapes)
                if other is None:
                    continue
                result.plans.append(other[0])
                following.append(((*moves, move), other[0]))
                if other[1]:
                    result.found.append((other[0], (*moves, move)))
        if result.found or not following:
            break
        front = following
    return result


def _try(
    lab: Lab, asked: Asked, moves: Sequence[Move], *, executed: bool, goal: Callable[[Plan], bool],
    seen: set[str],
) -> tuple[Plan, bool] | None:  # fmt: skip
    """The plan without these things and whether it meets the goal; None where it was seen or cannot be had."""
    try:
        with without(lab, moves):
            plan = lab.plan(asked, analyze=False)
            if shape(plan) in seen:
                return None
            seen.add(shape(plan))
            if executed:
                plan = lab.plan(asked)
    except psycopg.Error:
        if lab.connection.closed:
            raise
        return None
    return unpenalized(plan), goal(unpenalized(plan))


def without(lab: Lab, moves: Sequence[Move]) -> AbstractContextManager[None]:
    """A context in which the planner has to do without these things."""
    settings = dict(move.setting for move in moves if move.setting is not None)
    hidden = [move.index for move in moves if move.index is not None]
    return lab.changed(settings=settings, hidden=hidden)


def _moves(plan: Plan, indexes: dict[str, Index]) -> Iterator[Move]:
    """What may be taken away from this plan: settings first."""
    for node in plan.nodes:
        if (name := _setting(node)) is not None:
            yield Move(f"{name} = off", (name, "off"))
        if node.type in ("Gather", "Gather Merge"):
            yield Move("no parallel workers", ("max_parallel_workers_per_gather", "0"))
    for node in plan.nodes:
        name = node.root_index or node.index
        if name in indexes:
            yield Move(f"without index {name}", index=indexes[name])


def _setting(node: Node) -> str | None:
    if node.type == "Aggregate" and node.detail.get("Strategy") == "Hashed":
        return "enable_hashagg"
    return _SETTINGS.get(node.type)


def shape(plan: Plan) -> str:
    """Types, relations, indexes and conditions of the nodes in their order: what makes one plan another."""
    keys = ("Index Cond", "Filter", "Scan Direction", "Join Type", "Sort Key", "Strategy")
    return repr(
        [(n.parent, n.type, n.alias, n.index, *(str(n.detail.get(key)) for key in keys)) for n in plan.nodes]
    )


def unpenalized(plan: Plan) -> Plan:
    """Costs without what PostgreSQL up to 17 adds for nodes that were switched off and are used all the same."""
    nodes = tuple(replace(n, cost=_bare(n.cost), startup_cost=_bare(n.startup_cost)) for n in plan.nodes)
    totals = dict(plan.totals) | ({"cost": _bare(plan.totals["cost"])} if "cost" in plan.totals else {})
    return replace(plan, nodes=nodes, totals=totals)


def _bare(cost: float | None) -> float | None:
    return cost if cost is None or cost < _PENALTY else round(cost % _PENALTY, 2)
