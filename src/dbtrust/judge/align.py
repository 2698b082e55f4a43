"""Two plans of one statement side by side: which node stands for which, and where the trees first part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbtrust.model.plan import Node, Plan

Pair = tuple[int | None, int | None]
#: What pairing costs: a node alone costs 1, so two nodes that share nothing are better left alone.
_SAME_RELATION, _UNLIKE = 1.0, 2.5


@dataclass(frozen=True, slots=True)
class Alignment:
    """`pairs` in pre-order of both trees; `parting` is the first row that is not the same node in both, or None."""

    pairs: tuple[Pair, ...]
    parting: int | None


def align(left: Plan, right: Plan) -> Alignment:
    """The cheapest alignment of two trees in which whole nodes may be left out and children keep their order.

    Time is (nodes left × nodes right × children), so a plan of some hundred nodes is no matter.
    """
    pairs = tuple(_replaced(_Table(_Tree(left), _Tree(right)).pairs()))
    parting = next((row for row, pair in enumerate(pairs) if not _same(left, right, pair)), None)
    return Alignment(pairs, parting)


def _replaced(pairs: Sequence[Pair]) -> list[Pair]:
    """Two nodes without a partner, one after the other and on either side, stand for each other."""
    rows: list[Pair] = []
    for a, b in pairs:
        last = rows[-1] if rows else (0, 0)
        if a is None and last[1] is None:
            rows[-1] = (last[0], b)
        elif b is None and last[0] is None:
            rows[-1] = (a, last[1])
        else:
            rows.append((a, b))
    return rows


def _same(left: Plan, right: Plan, pair: Pair) -> bool:
    a, b = pair
    return a is not None and b is not None and _difference(left.nodes[a], right.nodes[b]) == 0


def _difference(a: Node, b: Node) -> float:
    """0 for the same work, more for less in common."""
    relations = (a.alias or a.relation, b.alias or b.relation)
    if a.type == b.type and a.index == b.index and relations[0] == relations[1]:
        keys = ("Sort Key", "Join Type", "Strategy")
        return 0 if all(a.detail.get(key) == b.detail.get(key) for key in keys) else 0.5
    if relations[0] is not None and relations[0] == relations[1]:
        return _SAME_RELATION
    return 1.5 if a.type.split()[-1] == b.type.split()[-1] and relations == (None, None) else _UNLIKE


class _Tree:
    """Children and sizes by node id; -1 is a root above all roots."""

    def __init__(self, plan: Plan) -> None:
        self.nodes = plan.nodes
        self.children: dict[int, list[int]] = {-1: []} | {node.id: [] for node in plan.nodes}
        for node in plan.nodes:
            self.children[-1 if node.parent is None else node.parent].append(node.id)
        self.size: dict[int, int] = {}
        for number in (*reversed(range(len(plan.nodes))), -1):
            self.size[number] = 1 + sum(self.size[child] for child in self.children[number])

    @property
    def bottom_up(self) -> list[int]:
        return [*reversed(range(len(self.nodes))), -1]


class _Table:
    """The cost of aligning each subtree with each other one, children first, and the way back."""

    def __init__(self, left: _Tree, right: _Tree) -> None:
        self.left, self.right = left, right
        self.cost: dict[tuple[int, int], float] = {}
        #: What was cheapest: ("both", 0), ("skip left", child) or ("skip right", child).
        self.step: dict[tuple[int, int], tuple[str, int]] = {}
        for a in left.bottom_up:
            for b in right.bottom_up:
                self._fill(a, b)

    def _fill(self, a: int, b: int) -> None:
        below, _ = self._children(self.left.children[a], self.right.children[b])
        options = [(self._relabel(a, b) + below, "both", 0)]
        if (a == -1) == (b == -1):
            options += self._skips(a, b)
        cost, what, child = min(options, key=lambda option: option[0])
        self.cost[a, b], self.step[a, b] = cost, (what, child)

    def _relabel(self, a: int, b: int) -> float:
        if a == -1 or b == -1:
            return 0 if a == b else 1e6
        return _difference(self.left.nodes[a], self.right.nodes[b])

    def _skips(self, a: int, b: int) -> list[tuple[float, str, int]]:
        if a == -1:
            return []
        skips = [
            (self.left.size[a] - self.left.size[c] + self.cost[c, b], "skip left", c)
            for c in self.left.children[a]
        ]
        return skips + [
            (self.right.size[b] - self.right.size[c] + self.cost[a, c], "skip right", c)
            for c in self.right.children[b]
        ]

    def _children(self, a: Sequence[int], b: Sequence[int]) -> tuple[float, list[Pair]]:
        """The cheapest pairing of two lists of subtrees in their order."""
        best: dict[tuple[int, int], tuple[float, Pair | None]] = {(0, 0): (0, None)}
        for i in range(len(a) + 1):
            for j in range(len(b) + 1):
                options: list[tuple[float, Pair]] = []
                if i and j:
                    both = best[i - 1, j - 1][0] + self.cost[a[i - 1], b[j - 1]]
                    options.append((both, (a[i - 1], b[j - 1])))
                if i:
                    options.append((best[i - 1, j][0] + self.left.size[a[i - 1]], (a[i - 1], None)))
                if j:
                    options.append((best[i, j - 1][0] + self.right.size[b[j - 1]], (None, b[j - 1])))
                if options:
                    best[i, j] = min(options, key=lambda option: option[0])
        return best[len(a), len(b)][0], _way(best, len(a), len(b))

    def pairs(self) -> list[Pair]:
        """The pairs without the roots above, parents before children."""
        found: list[Pair] = []
        pending: list[Pair] = [(-1, -1)]
        while pending:
            a, b = pending.pop()
            if a is None or b is None:
                below = self.left.children[a] if a is not None else self.right.children[b or 0]
                found.append((a, b))
                pending += [(c, None) if a is not None else (None, c) for c in reversed(below)]
                continue
            pending += reversed(self._expand(a, b, found))
        return found

    def _expand(self, a: int, b: int, found: list[Pair]) -> list[Pair]:
        what, child = self.step[a, b]
        if what == "both":
            if a != -1:
                found.append((a, b))
            return self._children(self.left.children[a], self.right.children[b])[1]
        if what == "skip left":
            found.append((a, None))
            return [(c, b if c == child else None) for c in self.left.children[a]]
        found.append((None, b))
        return [(a if c == child else None, c) for c in self.right.children[b]]


def _way(best: dict[tuple[int, int], tuple[float, Pair | None]], i: int, j: int) -> list[Pair]:
    way: list[Pair] = []
    while (pair := best[i, j][1]) is not None:
        way.append(pair)
        i, j = i - (pair[0] is not None), j - (pair[1] is not None)
    return way[::-1]
