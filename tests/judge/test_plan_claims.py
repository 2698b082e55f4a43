"""Claims over plans that no server here would give at will: rounding, partitions, unknown nodes, Express."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbtrust.judge.claims import Judged, Names, judge, judge_commands
from dbtrust.judge.grammar import parse_claim
from dbtrust.model.location import NOWHERE
from dbtrust.model.plan import Engine, Node, Plan

NAMES = Names(
    frozenset({("public", "t"), ("other", "t"), ("", "c")}),
    frozenset({("public", "i"), ("other", "i"), ("", "i"), ("", "_id_")}),
)


def over(text: str, plan: Plan) -> Judged:
    return judge(parse_claim(text, plan.engine, NOWHERE), plan, NAMES)


def pg(*nodes: Node, version: str = "17.10", **totals: Any) -> Plan:
    root = nodes[0]
    default = {"returned": (root.rows or 0) * (root.loops or 0), "cost": 1.0, "hit": 3, "read": 4}
    return Plan("postgres", nodes, {**default, **totals}, server_version=version)


def mongo(*nodes: Node, version: str = "6.0.5", **totals: Any) -> Plan:
    return Plan("mongo", nodes, {"returned": 1, "keys": 1, "documents": 1, **totals}, server_version=version)


def scan(kind: str = "Index Scan", **changes: Any) -> Node:
    node = Node(0, None, kind, relation="t", schema="public", index="i", rows=1.0, loops=1.0, heap_fetches=0)
    return replace(node, **changes)


def test_a_name_without_schema_fits_any() -> None:
    assert over("uses i on t", pg(scan(schema="other"))).outcome == "holds"
    assert over("uses public.i", pg(scan(schema="other"))).outcome == "refuted"
    assert over("uses i on public.t", pg(scan(schema="other"))).outcome == "refuted"


def test_a_name_that_does_not_exist_is_refuted_with_the_nearest() -> None:
    found = over("uses ii on t", pg(scan()))
    assert (found.outcome, found.reason) == ("refuted", "missing_object")
    assert "did you mean i?" in found.next
    assert over("no seq scan on tt", pg(scan())).outcome == "refuted"


def test_a_partition_counts_as_its_parent() -> None:
    part = scan(relation="t_2026", index="t_2026_i", root_relation="t", root_schema="public", root_index="i")
    assert over("uses i on t", pg(part)).outcome == "holds"
    assert over("no seq scan on t", pg(replace(part, type="Seq Scan", index=None))).outcome == "refuted"


def test_index_only_means_every_access() -> None:
    only = scan("Index Only Scan", id=1, parent=0)
    join = Node(0, None, "Nested Loop", rows=1.0, loops=1.0)
    assert over("index only on t", pg(join, only)).outcome == "holds"
    assert over("index only on t", pg(join, only, scan(id=2, parent=0))).outcome == "refuted"
    assert over("index only", pg(join, replace(only, heap_fetches=7))).outcome == "refuted"
    assert over("uses i index only", pg(join, only, scan(id=2, parent=0))).outcome == "holds"
    assert over("uses i on t index only", pg(scan())).outcome == "refuted"
    assert over("index only on other.t", pg(only)).outcome == "refuted"
    assert over("index only", replace(pg(only), analyzed=False)).outcome == "unproved"


@pytest.mark.parametrize("kind", ["Seq Scan", "Sample Scan"])
def test_no_seq_scan(kind: str) -> None:
    assert over("no seq scan", pg(scan(kind, index=None))).outcome == "refuted"
    assert over("no seq scan on other.t", pg(scan(kind, index=None))).outcome == "holds"
    assert over("no seq scan", pg(scan())).outcome == "holds"


def test_no_sort() -> None:
    for kind in ("Sort", "Incremental Sort"):
        assert (
            over("no sort", pg(Node(0, None, kind, rows=1.0, loops=1.0), scan(id=1, parent=0))).outcome
            == "refuted"
        )
    assert over("no sort", mongo(Node(0, None, "SORT"))).outcome == "refuted"
    assert over("no sort", mongo(Node(0, None, "$sort"))).outcome == "refuted"
    assert over("no sort", mongo(Node(0, None, "SORT_MERGE"))).outcome == "holds"


def test_rows_read_count_what_was_removed() -> None:
    plan = pg(scan(rows=10.0, removed_filter=5.0, removed_recheck=3.0, removed_join=2.0), returned=10)
    assert over("examines at most 2 rows per result", plan).outcome == "holds"
    assert over("examines at most 1.9 rows per result", plan).outcome == "refuted"


def test_a_limit_inside_the_rounding_is_unproved() -> None:
    """1,000 loops of "1 row" are anything from 500 to 1,500 rows before PostgreSQL 18, 995 to 1,005 from there."""
    looped = scan(id=1, parent=0, loops=1000.0)
    join = Node(0, None, "Nested Loop", rows=1000.0, loops=1.0)
    assert over("examines at most 1 rows per result", pg(join, looped)).outcome == "unproved"
    assert over("examines at most 1.5 rows per result", pg(join, looped)).outcome == "holds"
    assert over("examines at most 0.4 rows per result", pg(join, looped)).outcome == "refuted"
    assert over("examines at most 1.1 rows per result", pg(join, looped, version="18.1")).outcome == "holds"
    counted = replace(pg(join, looped), relation_reads={"public.t": 1000.0})
    assert over("examines at most 1 rows per result", counted).outcome == "holds"


def test_nothing_returned_counts_as_one() -> None:
    assert (
        over("examines at most 5 rows per result", pg(scan(rows=0.0, removed_filter=5.0), returned=0)).outcome
        == "holds"
    )
    assert (
        over("examines at most 4 rows per result", pg(scan(rows=0.0, removed_filter=5.0), returned=0)).outcome
        == "refuted"
    )


def test_examines_needs_an_execution_and_a_scan() -> None:
    assert (
        over("examines at most 5 rows per result", replace(pg(scan()), analyzed=False)).outcome == "unproved"
    )
    assert over("examines at most 5 rows per result on other.t", pg(scan())).outcome == "unproved"
    assert (
        over("examines at most 5 keys per result", mongo(Node(0, None, "IXSCAN"), keys=None)).outcome
        == "unproved"
    )


def test_totals() -> None:
    assert over("cost at most 1", pg(scan())).outcome == "holds"
    assert over("cost at most 0.5", pg(scan())).outcome == "refuted"
    assert over("reads at most 7 blocks", pg(scan())).outcome == "holds"
    assert over("reads at most 6 blocks", pg(scan())).outcome == "refuted"
    assert over("reads at most 6 blocks", pg(scan(), hit=None)).outcome == "unproved"
    assert (
        over(
            "examines at most 2 documents per result", mongo(Node(0, None, "IXSCAN"), documents=4, returned=2)
        ).outcome
        == "holds"
    )
    assert (
        over("examines at most 1 keys per result", mongo(Node(0, None, "IXSCAN"), keys=4, returned=2)).outcome
        == "refuted"
    )


def test_what_is_not_known_is_never_passed() -> None:
    plan = replace(pg(scan()), unknown=("Quantum Scan",))
    for text in ("uses i", "no sort", "index only", "cost at most 9", "examines at most 9 rows per result"):
        assert (over(text, plan).outcome, over(text, plan).reason) == ("unproved", "version")
        assert "Quantum Scan" in over(text, plan).message


def test_no_single_plan_tells_a_gain() -> None:
    assert over("at least 2x faster than without i", pg(scan())).outcome == "unproved"


def express(kind: str = "EXPRESS_IXSCAN", **changes: Any) -> Node:
    return replace(
        Node(
            0,
            None,
            kind,
            relation="c",
            index="_id_",
            keys=1,
            documents=1,
            detail={"keyPattern": "{ _id: 1 }"},
        ),
        **changes,
    )


def test_express_by_its_documented_shape() -> None:
    assert over("express", mongo(express(), version="8.0.4")).outcome == "holds"
    assert over("id lookup", mongo(express(), version="8.0.4")).outcome == "holds"
    clustered = express("EXPRESS_CLUSTERED_IXSCAN", index=None, detail={})
    assert over("id lookup", mongo(clustered, version="8.0.4")).outcome == "holds"
    by_email = express(index="i", detail={"keyPattern": "{ email: 1 }"})
    assert over("express", mongo(by_email, version="8.0.4")).outcome == "holds"
    assert over("id lookup", mongo(by_email, version="8.0.4")).outcome == "refuted"


def test_idhack_is_an_id_lookup_and_not_express() -> None:
    idhack = Node(0, None, "IDHACK", relation="c", index="_id_", keys=1, documents=1)
    assert over("id lookup", mongo(idhack)).outcome == "holds"
    assert (over("express", mongo(idhack)).outcome, over("express", mongo(idhack)).reason) == (
        "unproved",
        "version",
    )
    assert over("express", mongo(idhack, version="8.0.4")).outcome == "refuted"


def test_covered() -> None:
    assert (
        over("covered", mongo(Node(0, None, "IXSCAN", relation="c", index="i"), documents=0)).outcome
        == "holds"
    )
    assert (
        over("covered", mongo(Node(0, None, "IXSCAN", relation="c", index="i"), documents=2)).outcome
        == "refuted"
    )
    assert over("covered", mongo(Node(0, None, "COLLSCAN", relation="c"), documents=0)).outcome == "unproved"
    assert over("covered", mongo(Node(0, None, "X"), documents=None)).outcome == "unproved"
    assert (
        over(
            "uses i on c covered", mongo(Node(0, None, "IXSCAN", relation="c", index="i"), documents=2)
        ).outcome
        == "refuted"
    )


@pytest.mark.parametrize(
    ("text", "outcome"), [("uses i", "holds"), ("no collection scan", "refuted"), ("covered", "refuted")]
)
def test_several_commands(text: str, outcome: str) -> None:
    engine: Engine = "mongo"
    good = mongo(Node(0, None, "IXSCAN", relation="c", index="i"), documents=0)
    worse = mongo(Node(0, None, "COLLSCAN", relation="c"), documents=9)
    assert judge_commands(parse_claim(text, engine, NOWHERE), [good, worse], NAMES).outcome == outcome
    assert judge_commands(parse_claim(text, engine, NOWHERE), [], NAMES).outcome == "unproved"
    assert judge_commands(parse_claim("uses nothing", engine, NOWHERE), [], NAMES).outcome == "refuted"


def test_what_never_ran_is_in_the_plan_and_has_fetched_nothing() -> None:
    root = Node(0, None, "Nested Loop", rows=0.0, loops=1.0)
    idle = scan("Index Only Scan", id=1, parent=0, rows=0.0, loops=0.0)
    for text in ("index only on t", "uses i on t index only"):
        found = over(text, pg(root, idle))
        assert (found.outcome, found.reason) == ("unproved", "no_data")
        assert "never executed" in found.message
    assert over("index only on t", pg(root, idle, scan("Index Only Scan", id=2, parent=0))).outcome == "holds"
    assert over("uses i on t", pg(root, idle)).outcome == "holds"
    never = replace(idle, type="Seq Scan", index=None)
    assert "never executed" in over("no seq scan", pg(root, never)).message


def test_a_plan_that_was_not_run_has_no_heap_fetches() -> None:
    planned = replace(pg(scan("Index Only Scan", heap_fetches=None, loops=None)), analyzed=False)
    assert over("uses i index only", planned).outcome == "unproved"
    assert over("index only", planned).outcome == "unproved"
    assert over("uses i", planned).outcome == "holds"
    other = replace(pg(scan(heap_fetches=None, loops=None)), analyzed=False)
    assert over("uses i index only", other).outcome == "refuted"


def test_every_table_above_a_partition_counts() -> None:
    part = scan(
        relation="t_1_2", index="t_1_2_i", root_relation="t", root_schema="public", root_index="i",
        ancestors=(("public", "t"), ("other", "t_1")), ancestor_indexes=(("public", "i"), ("other", "t_1_i")),
    )  # fmt: skip
    names = Names(
        NAMES.relations | {("other", "t_1"), ("public", "t_1_2")}, NAMES.indexes | {("other", "t_1_i")}
    )
    for text in ("uses other.t_1_i on t_1", "uses t_1_i on t", "uses i on t_1_2"):
        assert judge(parse_claim(text, "postgres", NOWHERE), pg(part), names).outcome == "holds", text
    scanned = pg(replace(part, type="Seq Scan", index=None))
    for text in ("no seq scan on other.t_1", "no seq scan on t", "no seq scan on t_1_2"):
        assert judge(parse_claim(text, "postgres", NOWHERE), scanned, names).outcome == "refuted", text
    assert judge(parse_claim("uses public.t_1_i", "postgres", NOWHERE), pg(part), names).outcome == "refuted"


def test_rows_are_whole_and_removed_rows_round_to_integers_on_every_major() -> None:
    join = Node(0, None, "Gather", rows=1.0, loops=1.0)
    exact = scan(id=1, parent=0, rows=3333.33, loops=3.0)
    assert over("examines at most 10000 rows per result", pg(join, exact, version="18.4")).outcome == "holds"
    assert over("examines at most 9999 rows per result", pg(join, exact, version="18.4")).outcome == "refuted"
    removed = replace(exact, rows=3.29, loops=7.0, removed_filter=7.0)
    found = over("examines at most 72 rows per result", pg(join, removed, version="18.4"))
    assert (found.outcome, found.next) == ("unproved", "claim at most 75")
    assert over("examines at most 75 rows per result", pg(join, removed, version="18.4")).outcome == "holds"


def test_what_a_claim_refutes_is_named_with_its_number() -> None:
    heavy = scan(
        "Seq Scan", id=1, parent=0, index=None, rows=10.0, removed_filter=90.0, detail={"Filter": "(k = 1)"}
    )
    root = Node(0, None, "Sort", rows=10.0, loops=1.0, cost=9.0, detail={"Sort Key": ["t.k", "t.v DESC"]})
    expected = {
        "no seq scan": ("found Seq Scan on t (node 1): 100 rows", "is there an index for (k = 1)?"),
        "no sort": ("found Sort (node 0) by t.k, t.v DESC: 10 rows", "an index in that order"),
        "uses i": ("i is not used: found Seq Scan on t (node 1)", "can i find (k = 1)?"),
        "examines at most 2 rows per result": ("most of it by Seq Scan on t (node 1)", "(k = 1)"),
        "cost at most 0.5": ("cost 1, claimed at most 0.5: most of it in Sort (node 0)", "look at Sort"),
    }  # fmt: skip
    for text, (said, step) in expected.items():
        found = over(text, pg(root, heavy))
        assert found.outcome == "refuted"
        assert said in found.message, found.message
        assert step in found.next, found.next


def test_a_view_is_in_no_plan() -> None:
    names = replace(NAMES, views=frozenset({("public", "t")}), relations=frozenset({("public", "t")}))
    found = judge(parse_claim("no seq scan on t", "postgres", NOWHERE), pg(scan()), names)
    assert (found.outcome, found.reason) == ("unproved", "undecided")
    assert judge(parse_claim("no seq scan", "postgres", NOWHERE), pg(scan()), names).outcome == "holds"
    both = replace(names, relations=frozenset({("public", "t"), ("other", "t")}))
    assert judge(parse_claim("no seq scan on t", "postgres", NOWHERE), pg(scan()), both).outcome == "holds"
