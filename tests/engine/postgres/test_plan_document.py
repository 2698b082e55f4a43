"""The reader of EXPLAIN's JSON: shapes that a test server cannot be made to give, and anything at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.postgres.plan_document import Partitions, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KEYS = st.sampled_from([
    "Node Type", "Plans", "Actual Loops", "Actual Rows", "Workers Launched", "Subplan Name",
    "Shared Hit Blocks",
    "Actual Total Time", "Parent Relationship", "CTE Name", "Relation Name", "Schema", "Index Name", "Plan",
])  # fmt: skip
VALUES = JSON | st.sampled_from(["Gather", "CTE Scan", "InitPlan", "CTE x", "Bitmap Index Scan", -1, 0])
NODES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=6),
    lambda inner: st.fixed_dictionaries(
        {"Plans": st.lists(inner, max_size=3)}, optional={"Node Type": VALUES}
    ),
    max_leaves=6,
)


@given(JSON | st.lists(st.fixed_dictionaries({"Plan": NODES}), max_size=2))
def test_nothing_is_raised(document: Any) -> None:
    plan = parse(document, server_version="17.10")
    assert plan.nodes or plan.unknown


def document(root: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"Plan": root, **more}]


def timed(kind: str, loops: int, ms: float, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    node = {"Node Type": kind, "Actual Loops": loops, "Actual Total Time": ms, "Actual Rows": 1, **more}
    return node | ({"Plans": list(children)} if children else {})


def test_an_unknown_node_is_named() -> None:
    plan = parse(document({"Node Type": "Warp Scan"}), server_version="19.1")
    assert plan.unknown == ("Warp Scan",)
    custom = parse(
        document({"Node Type": "Custom Scan", "Custom Plan Provider": "ColumnarScan"}), server_version="17"
    )
    assert custom.unknown == ("Custom Scan (ColumnarScan)",)


def test_a_very_deep_plan() -> None:
    root: dict[str, Any] = {"Node Type": "Limit"}
    for _ in range(5000):
        root = {"Node Type": "Limit", "Plans": [root]}
    assert len(parse(document(root), server_version="17").nodes) == 5001


def test_self_time_under_gather_is_wall_time() -> None:
    scan = timed("Seq Scan", 3, 10.0)
    plan = parse(document(timed("Gather", 1, 12.0, scan, **{"Workers Launched": 2})), server_version="17")
    assert [node.self_ms for node in plan.nodes] == [2.0, 10.0]


def test_self_time_of_a_cte_is_taken_from_its_scan() -> None:
    cte = timed("Seq Scan", 1, 8.0, **{"Parent Relationship": "InitPlan", "Subplan Name": "CTE c"})
    scan = timed("CTE Scan", 1, 9.0, **{"CTE Name": "c"})
    plan = parse(document(timed("Limit", 1, 10.0, cte, scan)), server_version="17")
    assert [node.self_ms for node in plan.nodes] == [1.0, 8.0, 1.0]


def test_self_time_of_loops() -> None:
    inner = timed("Index Scan", 100, 0.02)
    plan = parse(
        document(timed("Nested Loop", 1, 5.0, timed("Seq Scan", 1, 1.0), inner)), server_version="17"
    )
    assert [node.self_ms for node in plan.nodes] == pytest.approx([2.0, 1.0, 2.0])


def test_partitions() -> None:
    both = {"Node Type": "BitmapAnd", "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "p1_k"}]}
    heap = {"Node Type": "Bitmap Heap Scan", "Relation Name": "p1", "Schema": "s", "Plans": [both]}
    roots = Partitions({("s", "p1"): ("t", "p")}, {("s", "p1_k"): "p_k"})
    *_, last = parse(document(heap), server_version="17", partitions=roots).nodes
    assert (last.relation, last.schema, last.root_relation, last.root_schema) == ("p1", "s", "p", "t")
    assert last.root_index == "p_k"


def test_fractional_rows_of_18() -> None:
    scan = {
        "Node Type": "Index Scan",
        "Actual Rows": 9.95,
        "Actual Loops": 100,
        "Index Searches": 100,
        "Disabled": False,
    }
    plan = parse(document(scan), server_version="18.1")
    assert plan.unknown == () and plan.totals["returned"] == pytest.approx(995)
    assert plan.nodes[0].detail == {"Index Searches": 100}
