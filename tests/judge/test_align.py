"""Alignments of plan trees: what stands for what, and where they part."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.align import align
from dbtrust.model.plan import Node, Plan


def tree(*nodes: tuple[int | None, str, str | None]) -> Plan:
    """(parent, type, relation) of each node, in pre-order."""
    return Plan("postgres", tuple(Node(n, p, t, relation=r) for n, (p, t, r) in enumerate(nodes)))


LIMIT_SORT = tree((None, "Limit", None), (0, "Sort", None), (1, "Seq Scan", "t"))
LIMIT_INDEX = tree((None, "Limit", None), (0, "Index Scan", "t"))
JOIN = tree((None, "Hash Join", None), (0, "Seq Scan", "a"), (0, "Hash", None), (2, "Seq Scan", "b"))
LOOP = tree((None, "Nested Loop", None), (0, "Seq Scan", "a"), (0, "Index Scan", "b"))
FLAT = tree((None, "Seq Scan", "t"))


@pytest.mark.parametrize(
    ("left", "right", "pairs", "parting"),
    [
        pytest.param(LIMIT_SORT, LIMIT_SORT, ((0, 0), (1, 1), (2, 2)), None, id="equal"),
        pytest.param(LIMIT_SORT, LIMIT_INDEX, ((0, 0), (1, None), (2, 1)), 1, id="a sort more"),
        pytest.param(LIMIT_INDEX, LIMIT_SORT, ((0, 0), (None, 1), (1, 2)), 1, id="a sort less"),
        pytest.param(JOIN, LOOP, ((0, 0), (1, 1), (2, None), (3, 2)), 0, id="another join"),
        pytest.param(FLAT, LIMIT_INDEX, ((None, 0), (0, 1)), 0, id="nothing but a scan"),
        pytest.param(tree(), FLAT, ((None, 0),), 0, id="an empty plan"),
    ],
)
def test_pairs(left: Plan, right: Plan, pairs: Any, parting: int | None) -> None:
    found = align(left, right)
    assert (found.pairs, found.parting) == (pairs, parting)


def test_the_same_nodes_with_other_keys_part() -> None:
    one = Plan("postgres", (Node(0, None, "Sort", detail={"Sort Key": ["a"]}),))
    other = Plan("postgres", (Node(0, None, "Sort", detail={"Sort Key": ["b"]}),))
    assert align(one, other).parting == 0


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Any tree in pre-order, of a few types over two relations."""
    nodes: list[tuple[int | None, str, str | None]] = []
    path: list[int] = []
    for number in range(draw(st.integers(0, 9))):
        depth = draw(st.integers(0, len(path)))
        parent = path[depth - 1] if depth else None
        path = [*path[:depth], number]
        nodes.append(
            (
                parent,
                draw(st.sampled_from(["Sort", "Limit", "Seq Scan"])),
                draw(st.sampled_from([None, "a", "b"])),
            )
        )
    return tree(*nodes)


@given(plans(), plans())
def test_every_node_stands_once_and_in_order(left: Plan, right: Plan) -> None:
    found = align(left, right)
    for side, plan in enumerate((left, right)):
        assert sorted(p[side] for p in found.pairs if p[side] is not None) == [n.id for n in plan.nodes]
    assert (align(left, left).parting is None) and (
        found.parting is not None or len(left.nodes) == len(right.nodes)
    )
