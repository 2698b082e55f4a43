"""The claim grammar: what it reads, and where it points when it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.grammar import Claim, ClaimSyntaxError, Name, parse_claim
from dbtrust.model.location import Location
from dbtrust.model.plan import Engine

HERE = Location("q.sql", 3, 11)


def read(text: str, engine: Engine = "postgres", *, proof: bool = False) -> Claim:
    return parse_claim(text, engine, HERE, proof=proof)


def test_uses() -> None:
    claim = read("Uses idx_a ON users INDEX Only")
    assert (claim.kind, claim.check, claim.index_only) == ("uses", "claim.uses", True)
    assert (claim.index, claim.relation) == (Name("idx_a"), Name("users"))
    assert claim.text == "Uses idx_a ON users INDEX Only"


def test_names_are_exact_and_may_be_quoted() -> None:
    assert read('uses "My ""Idx"""').index == Name('My "Idx"')
    assert read('uses Sales."Idx.One" on "S p".t').index == Name("Idx.One", "Sales")
    assert read('uses Sales."Idx.One" on "S p".t').relation == Name("t", "S p")
    assert read("uses by-sensor.x on my.coll", "mongo").index == Name("by-sensor.x")
    assert read("uses by-sensor.x on my.coll", "mongo").relation == Name("my.coll")


@pytest.mark.parametrize(
    ("text", "engine", "check", "attributes"),
    [
        ("index only", "postgres", "claim.index_only", {"relation": None}),
        ("index only on s.t", "postgres", "claim.index_only", {"relation": Name("t", "s")}),
        ("covered", "mongo", "claim.covered", {"covered": True}),
        ("uses i covered", "mongo", "claim.uses", {"covered": True}),
        ("no seq scan", "postgres", "claim.no_seq_scan", {}),
        ("no seq scan on t", "postgres", "claim.no_seq_scan", {"relation": Name("t")}),
        ("no collection scan", "mongo", "claim.no_collection_scan", {}),
        ("no sort", "postgres", "claim.no_sort", {}),
        ("no sort", "mongo", "claim.no_sort", {}),
        ("examines at most 1.5 rows per result on t", "postgres", "claim.examines", {"number": 1.5, "unit": "rows"}),
        ("examines at most 1_000 keys per result", "mongo", "claim.examines", {"number": 1000.0, "unit": "keys"}),
        ("examines at most 1 documents per result", "mongo", "claim.examines", {"unit": "documents"}),
        ("cost at most 10", "postgres", "claim.cost", {"number": 10.0}),
        ("reads at most 20 blocks", "postgres", "claim.reads", {"number": 20.0}),
        ("at least 2.5x faster than without i", "postgres", "claim.faster", {"number": 2.5, "index": Name("i")}),
        ("express", "mongo", "claim.express", {}),
        ("id lookup", "mongo", "claim.id_lookup", {}),
        ("no sort at 1_000_000 rows in t", "postgres", "claim.no_sort", {"at": (1_000_000, Name("t"))}),
        ("uses i on t index only at 5 rows in t", "postgres", "claim.uses", {"at": (5, Name("t"))}),
        ("refused 23514 by c on t.col", "postgres", "proof.refused", {"code": "23514", "constraint": Name("c"), "path": "t.col"}),
        ("refused 428C9", "postgres", "proof.refused", {"code": "428C9"}),
        ("refused 121 on a.b", "mongo", "proof.refused", {"code": "121", "path": "a.b"}),
        ("true", "postgres", "proof.true", {}),
    ],
)  # fmt: skip
def test_every_phrase(text: str, engine: Engine, check: str, attributes: dict[str, object]) -> None:
    claim = read(text, engine, proof=check.startswith("proof"))
    assert claim.check == check
    assert {key: getattr(claim, key) for key in attributes} == attributes


@pytest.mark.parametrize(
    ("text", "engine", "column", "step"),
    [
        ("covered", "postgres", 11, "did you mean"),
        ("no seq scan", "mongo", 11, "no collection scan"),
        ("index only", "mongo", 11, "did you mean"),
        ("use idx", "postgres", 11, "uses"),
        ("no seq scam", "postgres", 18, "scan"),
        ("uses", "postgres", 15, "add an index"),
        ("uses a b", "postgres", 18, "did you mean"),
        ("uses i on", "postgres", 20, "add a relation"),
        ("uses i covered", "postgres", 18, "index only"),
        ("uses i index", "postgres", 23, "only"),
        ("uses i;", "postgres", 16, "double quotes"),
        ("examines at most x rows per result", "postgres", 28, "digits"),
        ("examines at most 1 keys per result", "postgres", 30, "rows"),
        ("examines at most 1 rows for result", "postgres", 35, "per"),
        ("cost at most", "postgres", 23, "add a number"),
        ("cost at most 1 2", "postgres", 26, "did you mean"),
        ("reads at most 1.5 blocks", "postgres", 25, "digits"),
        ("at least 275 x faster than without i", "postgres", 20, "without a blank"),
        ("at least 0x faster than without i", "mongo", 20, "a factor above 0"),
        ("no sort at 0 rows in t", "mongo", 22, "a count above 0"),
        ("no sort at many rows in t", "postgres", 22, "digits"),
        ("refused 23514", "postgres", 11, "did you mean"),
        ("", "postgres", 11, "a claim is one of"),
    ],
)
def test_an_error_points_at_the_word(text: str, engine: Engine, column: int, step: str) -> None:
    with pytest.raises(ClaimSyntaxError) as caught:
        read(text, engine)
    assert caught.value.location == Location("q.sql", 3, column)
    assert step in caught.value.next


@pytest.mark.parametrize(
    ("text", "step"),
    [("refused 2351", "23514"), ("uses i", "refused"), ("true yes", "end"), ("refuse 1", "refused")],
)
def test_proofs_have_outcomes_only(text: str, step: str) -> None:
    with pytest.raises(ClaimSyntaxError) as caught:
        read(text, proof=True)
    assert step in caught.value.next


WORDS = st.sampled_from(
    [
        "uses",
        "index",
        "only",
        "covered",
        "on",
        "no",
        "seq",
        "collection",
        "scan",
        "sort",
        "examines",
        "at",
        "most",
        "rows",
        "keys",
        "documents",
        "per",
        "result",
        "cost",
        "reads",
        "blocks",
        "least",
        "10x",
        "faster",
        "than",
        "without",
        "express",
        "id",
        "lookup",
        "refused",
        "by",
        "true",
        "in",
        "1",
        "2.5",
        "23514",
        "t",
        "s.t",
        '"q"',
        "'",
    ]
)


@given(
    st.lists(WORDS, max_size=9).map(" ".join) | st.text(max_size=40),
    st.sampled_from(["postgres", "mongo"]),
    st.booleans(),
)
def test_it_never_raises_anything_else(text: str, engine: Engine, proof: bool) -> None:
    try:
        claim = parse_claim(text, engine, HERE, proof=proof)
    except ClaimSyntaxError as error:
        assert error.location.line == 3
    else:
        assert parse_claim(claim.text, engine, HERE, proof=proof) == claim
