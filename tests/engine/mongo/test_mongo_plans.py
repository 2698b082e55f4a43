"""Explain documents read into plans: recorded ones of 6.0, documented ones of later servers, and any JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.engine.mongo.explain import parse
from dbtrust.model.plan import Node, Plan

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mongo"
RECORDED = sorted(path.stem for path in FIXTURES.glob("*.json"))


def plan(name: str) -> Plan:
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    return parse(document["explain"], server_version=document["server"], command=name)


def shape(found: Plan) -> list[tuple[Any, ...]]:
    return [(n.parent, n.type, n.relation, n.index) for n in found.nodes]


def node(found: Plan, type: str, number: int = 0) -> Node:
    return [n for n in found.nodes if n.type == type][number]


@pytest.mark.parametrize("name", [name for name in RECORDED if name not in ("graph_lookup", "lookup_nested")])
def test_recorded_documents_hold_nothing_unknown(name: str) -> None:
    found = plan(name)
    assert found.unknown == ()
    assert found.analyzed
    assert found.server_version == "6.0.5"
    assert [n.id for n in found.nodes] == list(range(len(found.nodes)))
    assert all(n.parent is None or n.parent < n.id for n in found.nodes)
    json.dumps(found.to_dict())


@pytest.mark.parametrize(
    "name", [n for n in RECORDED if not n.startswith(("geo_near", "find_near", "lookup_p"))]
)
def test_counters_of_nodes_add_up_to_the_servers_totals(name: str) -> None:
    found = plan(name)
    for total, counter in (("keys", "keys"), ("documents", "documents")):
        if total in found.totals:
            assert sum(getattr(n, counter) or 0 for n in found.nodes) == found.totals[total], total


def test_covered_find() -> None:
    found = plan("find_covered")
    assert shape(found) == [
        (None, "PROJECTION_COVERED", None, None),
        (0, "IXSCAN", "things", "idx_category_price"),
    ]
    assert found.totals == {
        "keys": 100,
        "documents": 0,
        "execution_ms": found.totals["execution_ms"],
        "returned": 100,
    }
    scan = found.nodes[1]
    assert scan.detail["keyPattern"] == {"category": 1, "price": -1}
    assert scan.detail["indexBounds"]["category"] == ['["c1", "c1"]']
    assert (scan.rows, scan.loops, scan.keys) == (100, 1, 100)


def test_id_lookup_names_its_index_though_the_server_does_not() -> None:
    assert shape(plan("find_by_id")) == [(None, "IDHACK", "things", "_id_")]


def test_a_sort_of_the_pipeline_is_told_from_one_of_the_find_layer() -> None:
    inside, behind = plan("aggregate_sort_pushed_down"), plan("aggregate_sort_in_pipeline")
    assert "SORT" in [n.type for n in inside.nodes]
    assert inside.nodes[0].detail["usedDisk"] is False
    assert [n.type for n in behind.children(None)] == ["FETCH", "$unwind", "$sort"]
    assert node(behind, "$sort").detail["spec"] == {"sortKey": {"tags": 1}}
    assert behind.totals["returned"] == 200


def test_a_merge_of_sorted_streams_is_no_sort() -> None:
    assert [n.type for n in plan("find_sort_merge").nodes] == ["FETCH", "SORT_MERGE", "IXSCAN", "IXSCAN"]


def test_count_returns_what_it_counted() -> None:
    assert plan("count").totals["returned"] == 100
    assert shape(plan("count"))[1] == (0, "COUNT_SCAN", "things", "idx_category_price")


def test_slot_based_group_keeps_the_tree_and_its_counters() -> None:
    found = plan("aggregate_group_covered")
    assert [n.type for n in found.nodes] == ["GROUP", "PROJECTION_COVERED", "IXSCAN"]
    assert (found.nodes[2].keys, found.totals["documents"], found.totals["returned"]) == (100, 0, 1)
    assert shape(plan("aggregate_group_sbe"))[-1] == (None, "$sort", None, None)


def test_lookup_in_the_find_layer_has_the_foreign_side() -> None:
    scanning, seeking = plan("lookup_hash_sbe"), plan("lookup_indexed_sbe")
    join = scanning.nodes[0]
    assert (join.type, join.relation, join.documents, join.keys) == ("EQ_LOOKUP", "others", 5, 0)
    assert shape(scanning)[3] == (0, "COLLSCAN", "others", None)
    assert shape(seeking)[3] == (0, "IXSCAN", "others", "idx_code")
    assert scanning.totals["documents"] == 105  # the server's total has both sides: nothing is counted twice
    assert not [n for n in plan("lookup_missing_sbe").nodes if n.type == "COLLSCAN"]


def test_lookup_as_a_pipeline_stage_adds_its_own_totals() -> None:
    indexed, scanned = plan("lookup_pipeline"), plan("lookup_pipeline_scan")
    stage = node(indexed, "$lookup")
    assert stage.relation == "others"
    assert indexed.totals["keys"] == 100 + (stage.keys or 0)
    assert indexed.totals["documents"] == 100 + (stage.documents or 0)
    assert shape(indexed)[-1] == (stage.id, "IXSCAN", "others", "idx_code")
    assert shape(scanned)[-1][1:3] == ("COLLSCAN", "others")


def test_graph_lookup_is_unknown_because_explain_hides_its_reads() -> None:
    assert plan("graph_lookup").unknown == ("$graphLookup (explain does not tell its reads)",)


def test_union_and_facet_are_walked() -> None:
    assert shape(plan("union_with"))[-2:] == [
        (None, "$unionWith", "others", None),
        (2, "IDHACK", "others", "_id_"),
    ]
    assert plan("union_with").totals["documents"] == 101
    assert shape(plan("union_with_all"))[-1] == (2, "COLLSCAN", "others", None)
    facet = plan("facet")
    assert {n.type for n in facet.children(1)} >= {"$group", "$match"}


def test_writes_and_other_accesses() -> None:
    assert [n.type for n in plan("update").nodes] == ["UPDATE", "FETCH", "IXSCAN"]
    assert node(plan("update"), "UPDATE").detail["nWouldModify"] == 100
    assert shape(plan("delete"))[1] == (0, "IDHACK", "things", "_id_")
    assert shape(plan("find_clustered")) == [(None, "CLUSTERED_IXSCAN", "clustered", None)]
    assert shape(plan("time_series_scan"))[0] == (None, "COLLSCAN", "readings", None)
    assert shape(plan("geo_near"))[0] == (None, "GEO_NEAR_2D", "things", "idx_place")
    assert shape(plan("find_missing_collection")) == [(None, "EOF", "nowhere", None)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("express_by_id", [(None, "EXPRESS_IXSCAN", "things", "_id_")]),
        ("express_compound", [(None, "EXPRESS_IXSCAN", "things", "a_1_b_1")]),
        ("express_clustered", [(None, "EXPRESS_CLUSTERED_IXSCAN", "things", None)]),
        ("express_update", [(None, "EXPRESS_UPDATE", "things", None)]),
    ],
)
def test_express_by_its_documented_shape(name: str, expected: list[tuple[Any, ...]]) -> None:
    found = plan(f"documented/{name}")
    assert (shape(found), found.unknown) == (expected, ())
    assert found.server_version == "8.0.0"


def test_express_keeps_the_key_pattern_as_the_text_it_is() -> None:
    found = plan("documented/express_compound").nodes[0]
    assert found.detail["keyPattern"] == "{ a: 1, b: 1 }"
    assert (found.keys, found.documents) == (1, 1)
    assert plan("documented/express_clustered").totals["keys"] == 0


def test_shards_are_walked() -> None:
    single, merged = plan("documented/sharded_single"), plan("documented/sharded_merge")
    assert [n.type for n in single.nodes] == ["SINGLE_SHARD", "FETCH", "IXSCAN"]
    assert shape(single)[2] == (1, "IXSCAN", "things", "a_1")
    assert [n.type for n in merged.nodes] == ["SHARD_MERGE_SORT", "FETCH", "IXSCAN", "FETCH", "IXSCAN"]
    assert merged.nodes[3].detail["shardName"] == "s1"
    assert plan("documented/sharded_aggregate").totals["returned"] == 8
    assert plan("documented/sharded_aggregate_merged").unknown == ("stages that ran on mongos",)


def test_later_servers() -> None:
    ranked = plan("documented/cost_based")
    assert (ranked.unknown, ranked.nodes[0].cost, ranked.nodes[0].estimated_rows) == ((), 0.5, 2.0)
    assert plan("documented/explain_version_3").unknown == ("explainVersion 3",)


def _explained(stage: dict[str, Any], **stats: Any) -> dict[str, Any]:
    planner = {"namespace": "shop.things", "winningPlan": stage}
    return {"explainVersion": "1", "queryPlanner": planner} | ({"executionStats": stats} if stats else {})


def test_what_is_not_known_is_said() -> None:
    assert parse(_explained({"stage": "WARP_DRIVE"})).unknown == ("WARP_DRIVE",)
    assert parse({}).unknown == ("an explain document without a plan",)
    assert parse(_explained({})).unknown == ("a stage without a name",)
    assert parse({"stages": [{"$teleport": {}}, {}]}).unknown == ("$teleport", "a stage without a name")
    failed = _explained({"stage": "COLLSCAN"}, executionSuccess=False, errorMessage="killed")
    assert parse(failed).unknown == ("an execution that failed (killed)",)
    lookup = {"stage": "EQ_LOOKUP", "strategy": "Psychic", "foreignCollection": "shop.others"}
    assert parse(_explained(lookup)).unknown == ("EQ_LOOKUP with strategy Psychic",)


def test_a_lookup_inside_a_lookup_hides_whose_reads_are_whose() -> None:
    inner = {"$lookup": {"from": "c", "as": "x", "pipeline": []}}
    stage = {
        "$lookup": {"from": {"db": "d", "coll": "b"}, "pipeline": [inner]},
        "nReturned": 1,
        "totalDocsExamined": 2,
    }
    found = parse({"stages": [stage]})
    assert (found.unknown, found.nodes[0].relation) == (("a $lookup inside a $lookup",), "b")
    bare = parse({"stages": [{"$lookup": {"from": "b"}, "nReturned": 1}]})
    assert bare.unknown == ("$lookup without totals",)


def test_a_join_that_may_scan_is_a_scan() -> None:
    lookup = {
        "stage": "EQ_LOOKUP",
        "strategy": "DynamicIndexedLoopJoin",
        "indexName": "i",
        "foreignCollection": "s.o",
    }
    assert [n.type for n in parse(_explained(lookup)).nodes] == ["EQ_LOOKUP", "IXSCAN", "COLLSCAN"]


def test_without_execution_there_are_no_counters() -> None:
    found = parse(_explained({"stage": "FETCH", "inputStage": {"stage": "IXSCAN", "indexName": "i"}}))
    assert not found.analyzed
    assert found.totals == {}
    assert [n.rows for n in found.nodes] == [None, None]


def test_rejected_plans_are_skipped() -> None:
    document = _explained({"stage": "COLLSCAN"})
    document["queryPlanner"]["rejectedPlans"] = [{"stage": "IXSCAN", "indexName": "i"}]
    assert [n.type for n in parse(document).nodes] == ["COLLSCAN"]


def test_slot_counters_that_do_not_add_up_are_left_out() -> None:
    document = json.loads((FIXTURES / "lookup_hash_sbe.json").read_text())["explain"]
    document["executionStats"]["totalDocsExamined"] = 7
    found = parse(document)
    assert found.totals["documents"] == 7
    assert {n.documents for n in found.nodes} == {None}


_KEYS = st.sampled_from([
    "stage", "stages", "shards", "queryPlanner", "executionStats", "executionStages", "winningPlan", "queryPlan",
    "inputStage", "inputStages", "outerStage", "$cursor", "$lookup", "$facet", "$unionWith", "$graphLookup", "pipeline",
    "nReturned", "planNodeId", "from", "collectionScans", "indexesUsed", "splitPipeline", "mergerPart", "namespace",
    "explainVersion", "strategy", "foreignCollection", "nCounted", "indexName", "totalDocsExamined", "numReads",
])  # fmt: skip
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["EQ_LOOKUP", "COUNT", "IXSCAN", "scan", ""]),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=20,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_no_document_is_an_exception(document: dict[str, Any]) -> None:
    found = parse(document)
    json.dumps(found.to_dict())


@given(st.sampled_from(RECORDED), st.data())
def test_no_damaged_document_is_an_exception(name: str, data: st.DataObject) -> None:
    document = json.loads((FIXTURES / f"{name}.json").read_text())["explain"]
    place: Any = document
    for _ in range(data.draw(st.integers(0, 6))):
        if not isinstance(place, (dict, list)) or not place:
            break
        key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
        if data.draw(st.booleans()):
            place[key] = data.draw(_LEAVES)
            break
        place = place[key]
    json.dumps(parse(document).to_dict())
