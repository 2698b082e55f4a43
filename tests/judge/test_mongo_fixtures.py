"""Claims over plans that MongoDB gave, or that its documentation shows (tests/fixtures/mongo): each with its outcome.

Known by construction: 500 things in 5 categories of 100, prices 0 to 99; 5 others, one a category.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dbtrust.engine.mongo.explain import parse
from dbtrust.judge.claims import Judged, Names, judge, judge_commands
from dbtrust.judge.grammar import parse_claim
from dbtrust.model.location import NOWHERE
from dbtrust.model.plan import Plan

FOLDER = Path(__file__).parents[1] / "fixtures" / "mongo"
FILES = sorted(FOLDER.rglob("*.json"))
COLLECTIONS = ("things", "others", "clustered", "readings", "cheap")
INDEXES = (
    "_id_", "idx_category_price", "idx_tags", "idx_text", "idx_place", "idx_spot", "idx_attrs", "idx_rare", "idx_code",
    "idx_hash", "idx_lower", "idx_sensor", "a_1", "a_1_b_1",
)  # fmt: skip
NAMES = Names(
    frozenset(("", name) for name in COLLECTIONS),
    frozenset(("", name) for name in INDEXES),
    views=frozenset({("", "cheap")}),
)
ID = "+ id lookup\n? express\n+ uses _id_\n+ examines at most 1 documents per result\n+ no collection scan"
EXPRESS = "+ express\n+ id lookup\n+ no collection scan\n+ examines at most 1 documents per result\n- examines at most 0 documents per result"
UNKNOWN = "? no collection scan\n? uses a_1\n? no sort\n? covered\n? examines at most 9 documents per result\n- uses nothing"

#: Of each document the claims that hold (+), are refuted (-) and cannot be told (?).
GOLDEN: dict[str, str] = {
    "aggregate_count": "+ covered\n+ uses idx_category_price covered\n+ examines at most 101 keys per result\n- examines at most 100 keys per result",
    "aggregate_group_covered": "+ covered\n+ uses idx_category_price on things covered\n+ no sort\n- uses idx_tags",
    "aggregate_group_sbe": "- no sort\n+ covered\n+ examines at most 5 keys per result\n- examines at most 4 keys per result",
    "aggregate_group_sbe_only": "- no collection scan\n- covered\n- uses idx_category_price",
    "aggregate_pushed_down": "+ uses idx_category_price\n- uses idx_category_price covered\n- covered\n+ examines at most 1 documents per result\n- examines at most 0.9 documents per result",
    "aggregate_sample": "? covered\n? examines at most 1 documents per result\n- uses idx_tags",
    "aggregate_sort_by_count": "- no sort\n- no collection scan\n- examines at most 99 documents per result",
    "aggregate_sort_in_pipeline": "- no sort\n+ uses idx_category_price\n+ no collection scan",
    "aggregate_sort_pushed_down": "- no sort",
    "aggregate_text": "+ uses idx_text on things\n- covered\n+ examines at most 10 documents per result",
    "aggregate_top": "- no sort",
    "aggregate_window": "- no sort\n+ uses idx_category_price",
    # A count's result is what it counted.
    "count": "+ covered\n+ examines at most 1.01 keys per result\n- examines at most 1 keys per result",
    "count_all": "+ no collection scan\n+ covered\n+ examines at most 0 documents per result",
    "count_scan": "- no collection scan\n- covered\n+ examines at most 500 documents per result",
    # An update or delete returns nothing: the number is for the whole statement.
    "delete": "+ id lookup\n+ uses _id_ on things\n+ examines at most 1 documents per result\n- examines at most 0.5 documents per result",
    "delete_many": "+ uses idx_category_price\n+ examines at most 100 documents per result\n- examines at most 99 documents per result\n- id lookup",
    "distinct": "+ uses idx_category_price covered\n+ covered\n? examines at most 1 keys per result\n- uses idx_tags",
    "facet": "- no collection scan\n+ no sort\n- examines at most 499 documents per result",
    "facet_sorted": "- no sort\n+ uses idx_category_price\n+ no collection scan",
    "find_absent": "+ uses idx_category_price\n? covered\n? uses idx_category_price covered\n+ examines at most 0 documents per result",
    "find_and_modify": "+ uses idx_category_price\n+ examines at most 1 documents per result\n- id lookup",
    "find_by_id": ID + "\n- covered\n+ no sort",
    "find_clustered": "+ no collection scan\n- id lookup\n+ examines at most 1.4 documents per result\n- examines at most 1 documents per result",
    "find_clustered_all": "- no collection scan\n- id lookup",
    "find_clustered_id": "- id lookup\n+ no collection scan\n+ examines at most 2 documents per result",
    "find_collation": "+ uses idx_lower on others\n+ no collection scan",
    "find_collation_mismatch": "- uses idx_lower",
    "find_collscan": "- no collection scan\n- examines at most 499 documents per result\n- id lookup",
    "find_covered": "+ covered\n+ covered on things\n+ uses idx_category_price on things covered\n- uses idx_category_price on others\n- examines at most 0.9 keys per result",
    "find_hashed": "+ uses idx_hash\n- covered",
    "find_hashed_range": "- uses idx_hash\n- no collection scan",
    "find_hinted": "- no collection scan\n- uses idx_category_price",
    "find_missing_collection": "? no collection scan\n? no sort\n? covered\n? examines at most 1 documents per result\n? uses _id_",
    "find_multikey": "+ uses idx_tags\n- uses idx_tags covered\n- covered on things",
    "find_near": "+ uses idx_place\n+ no sort\n+ examines at most 58 documents per result\n- examines at most 57 documents per result",
    "find_near_sphere": "+ uses idx_spot on things\n+ examines at most 2 documents per result\n- covered",
    "find_nothing_fits": "- no collection scan",
    "find_or": "+ uses idx_category_price\n+ uses idx_tags\n- uses idx_tags covered\n+ no collection scan",
    "find_partial": "+ uses idx_rare\n- uses idx_category_price",
    "find_partial_not_implied": "- uses idx_rare\n- no collection scan",
    "find_skip": "+ examines at most 1 documents per result\n+ examines at most 19 keys per result\n- examines at most 18 keys per result",
    "find_sort_merge": "+ no sort\n+ uses idx_category_price",
    "find_sorted_by_index": "+ no sort\n+ examines at most 1 keys per result",
    "find_sorted_in_memory": "- no sort\n- examines at most 19 documents per result",
    "find_sphere": "+ uses idx_spot\n- examines at most 1 keys per result\n+ examines at most 1.2 keys per result",
    "find_text": "+ uses idx_text\n- uses idx_text covered\n- no sort\n+ examines at most 1 documents per result",
    "find_view": "+ uses idx_category_price on things\n? covered on cheap",
    "find_wildcard": "+ uses idx_attrs\n- covered\n+ examines at most 1 keys per result",
    "geo_near": "+ uses idx_place\n+ examines at most 12 documents per result\n- examines at most 11 documents per result",
    "graph_lookup": UNKNOWN,
    "index_stats": "? covered\n? examines at most 1 documents per result",
    "lookup_hash_sbe": """
        - no collection scan
        + examines at most 0.05 documents per result on others
        - examines at most 0.04 documents per result on others
        + examines at most 1 documents per result on things
        + examines at most 1.05 documents per result
        - examines at most 1 documents per result""",
    "lookup_indexed_sbe": """
        + uses idx_code on others
        + uses idx_category_price on things
        - uses idx_code on things
        + no collection scan
        - uses idx_code covered
        + examines at most 2 documents per result
        - examines at most 1 documents per result""",
    "lookup_missing_sbe": "? no collection scan\n? uses idx_category_price\n? examines at most 9 documents per result",
    "lookup_nested": UNKNOWN.replace("a_1", "idx_code"),
    # A $lookup that took in a $unwind does not count its last document.
    "lookup_pipeline": """
        + uses idx_code on others
        + no collection scan
        ? examines at most 1 documents per result on others
        - examines at most 0.9 documents per result on others
        + examines at most 1 documents per result on things
        ? examines at most 2 documents per result
        - covered on others""",
    "lookup_pipeline_scan": "- no collection scan\n+ examines at most 1.05 documents per result",
    "lookup_sorted": "? no sort\n+ uses idx_code on others\n+ examines at most 1 documents per result on others",
    "lookup_unwind": "+ uses idx_code on others\n+ no collection scan\n? examines at most 2 documents per result\n- examines at most 1.9 documents per result",
    "lookup_unwind_one": "? uses idx_code\n? no collection scan\n? id lookup\n? covered on others\n? examines at most 9 documents per result",
    "lookup_without_input": "? uses idx_code on others\n? no collection scan\n? covered on others",
    "time_series": "+ uses idx_sensor\n+ no collection scan",
    "time_series_scan": "- no collection scan\n- uses idx_sensor\n+ examines at most 4 documents per result",
    # What is counted are buckets.
    "time_series_grouped": "+ uses idx_sensor on readings\n+ no collection scan\n+ examines at most 1 documents per result",
    "union_with": "+ uses idx_category_price on things\n+ uses _id_ on others\n+ no collection scan\n+ examines at most 1 documents per result",
    "union_with_all": "- no collection scan\n+ examines at most 1 documents per result",
    "union_with_lookup": "- no collection scan\n+ uses idx_code on others\n+ no sort",
    "update": "+ uses idx_category_price\n+ examines at most 100 documents per result\n- examines at most 99 documents per result",
    "update_scan": "- no collection scan\n- uses _id_\n- id lookup",
    "update_upsert": "+ id lookup\n? covered\n+ uses _id_",
    "documented/cost_based": "+ uses a_1 on things\n- covered\n+ no collection scan",
    "documented/explain_version_3": UNKNOWN,
    "documented/express_by_id": EXPRESS + "\n+ uses _id_",
    "documented/express_clustered": EXPRESS,
    "documented/express_compound": "+ express\n- id lookup\n+ uses a_1_b_1\n- covered",
    "documented/express_update": "+ express\n? id lookup\n+ no collection scan",
    "documented/sharded_aggregate": "+ uses a_1\n+ no collection scan\n+ no sort\n- uses a_1_b_1",
    "documented/sharded_aggregate_merged": UNKNOWN,
    "documented/sharded_merge": "+ uses a_1 on things\n+ no sort\n+ no collection scan\n- covered",
    "documented/sharded_single": "+ uses a_1 on things\n+ no collection scan\n- uses a_1_b_1",
}  # fmt: skip
WORDS = {"+": "holds", "-": "refuted", "?": "unproved"}
LINES = [
    (name, line.strip()[2:], WORDS[line.strip()[0]])
    for name, lines in GOLDEN.items()
    for line in lines.splitlines()
    if line.strip()
]


def plan(name: str) -> Plan:
    document = json.loads((FOLDER / f"{name}.json").read_text())
    return parse({**document["explain"], "command": document["command"]}, server_version=document["server"])


def kind(text: str) -> str:
    return parse_claim(text, "mongo", NOWHERE).kind


def judged(found: Plan, text: str) -> Judged:
    return judge(parse_claim(text, "mongo", NOWHERE), found, NAMES)


@pytest.mark.parametrize(("name", "claim", "outcome"), LINES)
def test_golden(name: str, claim: str, outcome: str) -> None:
    found = judged(plan(name), claim)
    assert found.outcome == outcome, found.message
    assert found.message
    json.dumps(dict(found.found))
    if outcome == "refuted":
        assert found.next, found.message
    if outcome == "unproved":
        assert found.reason


def test_every_document_has_a_list_and_says_where_it_is_from() -> None:
    assert {path.relative_to(FOLDER).with_suffix("").as_posix() for path in FILES} == set(GOLDEN)
    for path in FILES:
        document = json.loads(path.read_text())
        assert document["server"] and document["command"]
        assert (path.parent.name == "documented") == ("not recorded here" in document.get("source", ""))


def test_a_claim_on_a_collection_concerns_the_commands_that_read_it() -> None:
    both = [plan("find_covered"), plan("lookup_hash_sbe"), plan("find_collation_mismatch")]

    def over(text: str, *plans: Plan) -> Judged:
        return judge_commands(parse_claim(text, "mongo", NOWHERE), plans, NAMES)

    assert over("covered on things", *both[::2]).outcome == "holds"
    assert over("covered on things", *both).outcome == "refuted"
    assert over("examines at most 5 documents per result on others", *both).outcome == "holds"
    assert over("examines at most 4 documents per result on others", *both).outcome == "refuted"
    unread = over("covered on clustered", *both)
    assert unread.outcome == "refuted" and "no command of the method reads clustered" in unread.message


def test_a_collection_that_does_not_exist_is_named_with_the_nearest() -> None:
    found = judge(
        parse_claim("no collection scan", "mongo", NOWHERE),
        plan("find_by_id"),
        Names(frozenset({("", "thing")}), frozenset({("", "_id_")})),
    )
    assert (found.outcome, found.reason, found.next) == ("unproved", "no_data", "did you mean thing?")
    assert "reads things, a collection that does not exist" in found.message


def test_of_several_commands_the_one_with_the_index_is_told() -> None:
    plans = [plan("find_covered"), plan("find_multikey"), plan("find_collscan")]
    found = judge_commands(parse_claim("uses idx_tags covered", "mongo", NOWHERE), plans, NAMES)
    assert found.outcome == "refuted"
    assert "167 documents examined by FETCH on things (node 1) for IXSCAN using idx_tags" in found.message
