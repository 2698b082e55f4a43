"""Plans of now against a baseline: examples that changed, ties, versions, indexes that are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dbtrust.judge.baseline import Sample, Seen, judge_baseline, sample_of, taken
from dbtrust.judge.claims import Judged, Names
from dbtrust.judge.signature import Line
from dbtrust.model.baseline import Baseline, Decision, Example
from dbtrust.model.plan import Node, Plan

NAMES = Names(indexes=frozenset({("public", "i"), ("public", "j")}))
BY_I, BY_J, SEQ = ("Index Scan using i on t",), ("Index Scan using j on t",), ("Seq Scan on t",)


def sample(tree: tuple[str, ...], cost: float = 10.0) -> Sample:
    return Sample(tuple(Line(text, Node(n, None, text)) for n, text in enumerate(tree)), cost)


def now(*trees: tuple[str, ...], label: str = "one", given: str = "a = 1", **choices: str) -> Seen:
    return Seen(label, given, choices, [sample(tree) for tree in trees])


def then(*trees: tuple[str, ...], label: str = "one", given: str = "a = 1", **choices: str) -> Example:
    return Example(label, given, choices, tuple(Decision(tree, 5.0) for tree in trees))


def baseline(*examples: Example, server: str = "17") -> Baseline:
    return Baseline("query:q.x", "postgres", server, {}, examples)


def judged(old: Baseline, *seen: Seen, names: Names = NAMES) -> Judged:
    return judge_baseline(old, seen, names, "17")


def test_the_same_tree_holds_and_another_is_refuted_with_a_diff() -> None:
    assert judged(baseline(then(BY_I)), now(BY_I, BY_I, BY_I)).outcome == "holds"
    found = judged(baseline(then(BY_I)), now(SEQ, SEQ, SEQ))
    assert found.outcome == "refuted"
    assert found.message.endswith("Index Scan using i on t became Seq Scan on t; cost 5 before, 10 now")
    assert found.found["difference"][3:] == ["-Index Scan using i on t", "+Seq Scan on t"]
    assert (found.found["cost_before"], found.found["cost_after"]) == (5.0, 10.0)
    assert found.node is not None and found.node.type == "Seq Scan on t"


def test_the_first_node_that_differs() -> None:
    old = ("Limit", "  Sort", "    Seq Scan on t")
    shorter = judged(baseline(then(old)), now(old[:2], old[:2])).node
    assert shorter is not None and shorter.type == "  Sort"
    changed = judged(baseline(then(old)), now(("Limit", "  Seq Scan on t"))).node
    assert changed is not None and changed.type == "  Seq Scan on t"


def test_near_a_tie() -> None:
    assert judged(baseline(then(BY_I, SEQ)), now(BY_I, SEQ, BY_I)).outcome == "holds"
    found = judged(baseline(then(BY_I)), now(BY_I, SEQ, BY_I))
    assert (found.outcome, found.reason) == ("unproved", "undecided")
    assert judged(baseline(then(BY_I, BY_J)), now(SEQ, SEQ)).outcome == "refuted"


def test_an_index_of_a_recorded_plan_is_gone() -> None:
    """Near a tie the other plan goes on, but the drop is seen."""
    gone = replace(NAMES, indexes=frozenset({("public", "j")}))
    found = judged(baseline(then(BY_I, SEQ)), now(SEQ, SEQ, SEQ), names=gone)
    assert (found.outcome, found.reason) == ("refuted", "missing_object")
    assert found.message == "there is no index i, which a plan of the baseline uses"


def test_other_versions_are_not_compared() -> None:
    found = judged(baseline(then(BY_I), server="16"), now(SEQ))
    assert (found.outcome, found.reason) == ("unproved", "version")


@pytest.mark.parametrize(
    ("old", "seen", "outcome", "said"),
    [
        ([then(BY_I)], [now(BY_I, label="renamed")], "holds", ""),
        ([then(BY_I)], [now(BY_I, given="a = 2")], "holds", ""),
        ([then(BY_I)], [now(SEQ, given="a = 2")], "unproved", "(a = 1 became a = 2)"),
        ([then(BY_I)], [now(BY_I, label="two", given="a = 2")], "unproved", "two is not in the baseline"),
        ([then(BY_I), then(BY_I, label="two", given="b")], [now(BY_I)], "unproved", "the example two of the baseline is gone"),
        ([then(BY_I, label="", given="")], [now(BY_I, label="", given="")], "holds", ""),
        ([then(BY_I, by="x"), then(BY_J, by="y")], [now(BY_J, by="y"), now(BY_I, by="x")], "holds", ""),
        ([then(BY_I, by="x")], [now(BY_I, by="z")], "unproved", "is not in the baseline"),
        ([then(BY_I), then(BY_I, label="two", given="b")], [now(SEQ), now(BY_I, label="three", given="c")], "refuted", "became"),
        ([], [], "unproved", "no example"),
    ],
)  # fmt: skip
def test_examples_that_changed(old: list[Example], seen: list[Seen], outcome: str, said: str) -> None:
    found = judged(baseline(*old), *seen)
    assert found.outcome == outcome and said in found.message
    assert outcome != "unproved" or found.reason == "no_example"


def test_an_example_that_failed_is_unproved() -> None:
    failed = replace(now(), problem=Judged("unproved", "42P01", "server_error"))
    assert judged(baseline(then(BY_I)), failed).reason == "server_error"


def test_what_is_taken_again() -> None:
    """Known plans keep their costs; a tie keeps its plans; a change replaces them."""
    old, new = baseline(then(BY_I)), baseline(Example("one", "a = 1", {}, (Decision(BY_I, 5.3),)))
    assert taken(old, new, NAMES) == old
    assert taken(None, new, NAMES) == new
    assert taken(baseline(then(BY_I, SEQ)), new, NAMES) == baseline(then(BY_I, SEQ))
    assert taken(old, baseline(then(SEQ)), NAMES) == baseline(then(SEQ))
    grown = taken(old, baseline(then(BY_J, SEQ, BY_I)), NAMES)
    assert [plan.tree for plan in grown.examples[0].plans] == [BY_I, BY_J, SEQ]
    lost = taken(baseline(then(BY_I, SEQ)), baseline(then(SEQ)), replace(NAMES, indexes=frozenset()))
    assert lost == baseline(then(SEQ))
    assert taken(replace(old, server="16"), new, NAMES) == new


def test_plans_that_cannot_be_compared() -> None:
    unknown: Any = Plan("postgres", (Node(0, None, "Odd Scan"),), unknown=("Odd Scan",))
    assert sample_of([unknown], NAMES) is None
    assert sample_of([], NAMES) is None
    cheap = sample_of([Plan("postgres", (Node(0, None, "Result"),), {"cost": 1234.56})], NAMES)
    assert cheap is not None and cheap.decision == Decision(("Result",), 1230.0)
