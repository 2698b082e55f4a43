"""The tree of decisions of MongoDB's recorded plans: one decision has one tree, whichever engine ran it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dbtrust.engine.mongo.explain import parse
from dbtrust.judge.signature_mongo import mongo_lines
from dbtrust.model.plan import Plan

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mongo"


def plan(name: str, **changes: str) -> Plan:
    text = (FIXTURES / f"{name}.json").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    document = json.loads(text)
    return parse(
        document["explain"], server_version=document["server"], command=json.dumps(document["command"])
    )


def tree(*plans: Plan) -> list[str]:
    return [line.text for line in mongo_lines(plans)]


def test_a_lookup_in_slots_and_in_a_pipeline_stage() -> None:
    slots, stage = tree(plan("lookup_indexed_sbe")), tree(plan("lookup_pipeline"))
    assert slots == stage
    assert (
        slots[1] == "  LOOKUP (IndexedLoopJoin) on others"
        and slots[-1] == "    IXSCAN using idx_code on others"
    )
    assert tree(plan("lookup_pipeline_scan"))[1] == "  LOOKUP (NestedLoopJoin) on others"
    assert tree(plan("lookup_hash_sbe"))[1] == "  LOOKUP (HashJoin) on others"


def test_a_find_and_the_same_as_an_aggregate() -> None:
    find, pushed = tree(plan("find_sorted_in_memory")), tree(plan("aggregate_sort_pushed_down"))
    assert find[1:] == pushed[1:] and (find[0], pushed[0]) == ("find things", "aggregate things")


def test_bounds_are_kinds() -> None:
    assert tree(plan("find_covered"))[1:] == [
        "  IXSCAN using idx_category_price on things",
        '      Index: {"category": 1, "price": -1}',
        "      Bounds: category equal, price all",
    ]
    assert tree(plan("count"))[-1] == "        Bounds: category equal, price all"
    assert "Bounds: place range" in tree(plan("find_near"))[-1]
    assert tree(plan("find_by_id")) == ["find things", "  IDHACK using _id_ on things"]


def test_a_command_that_is_sent_again_counts_once() -> None:
    one, other = plan("find_by_id"), plan("find_collscan")
    assert tree(one, one, other, one) == [*tree(one), *tree(other)]


def test_the_nodes_stand_behind_their_lines() -> None:
    nodes: list[Any] = [
        line.node.type if line.node else None for line in mongo_lines([plan("find_sort_merge")])
    ]
    assert nodes == [None, "FETCH", "SORT_MERGE", "SORT_MERGE", *(["IXSCAN"] * 6)]
    assert tree(plan("facet")) == [
        "aggregate things",
        "  $facet",
        "    COLLSCAN on things",
        "    GROUP",
        "    MATCH",
    ]
