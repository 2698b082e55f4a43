"""Values to try: by type, from constants, from patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.judge.candidates import fresh, harvest, literals, of_type, sample
from dbtrust.model.facts import Column
from dbtrust.model.tree import Node, parse_nodes, same, walk

PATTERNS = [
    r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$", r"^\d{5}$", r"^[^@]+@x$", r"^(a|b)+$", r"^[A-Z]{2}\d*$",
    r"^(?:x|yy)?z$", r"[a-c_]{2}", r"^[\w.]+\s$", r"^a.c$", r"^[^a]b$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("variant", [0, 1, 2])
def test_a_sample_matches_its_pattern(pattern: str, variant: int) -> None:
    text = sample(pattern, variant)
    assert text is not None
    assert re.search(pattern, text)


@given(st.text(max_size=20))
def test_any_text_is_a_pattern_or_not(text: str) -> None:
    found = sample(text)
    assert found is None or isinstance(found, str)


def test_constants_beside_columns() -> None:
    found = harvest(
        "SELECT 1 FROM a WHERE x = 'abc' AND n > 3 AND doc ->> 'k' = 'v' AND t LIKE 'a%' AND z = ANY('{q}')"
    )
    assert found["x"] == ["abc"]
    assert found["n"] == ["3", "4", "2"]
    assert found["doc"][0] == '{"k": "v"}'
    assert "aa" in found["t"]
    assert harvest("no sql at all") == {}


def test_literals_by_type() -> None:
    assert literals(Column("m", "mood", "mood", "E", labels=("sad", "ok"))) == ["sad", "ok"]
    assert literals(Column("n", "integer", "integer", "N"), ["x", "42"])[0] == "42"
    assert all(len(v) <= 2 for v in literals(Column("c", "varchar(2)", "character varying", "S", length=2)))
    assert of_type("integer[]") == ['{"1"}', "{}"]
    assert of_type("timestamp with time zone")[0].startswith("2024")
    kinds = [("integer", "N"), ("text", "S"), ("uuid", "U"), ("date", "D")]
    assert all(fresh(Column("c", t, t, k), 1) != fresh(Column("c", t, t, k), 2) for t, k in kinds)
    assert fresh(Column("c", "boolean", "boolean", "B"), 1) is None


def test_node_trees() -> None:
    tree = parse_nodes(
        '({VAR :varno 1 :name a\\ b :list (i 1 2) :none <> :datum 4 [ 1 0 0 -1 ] :text "" :many ({X :y 1})})'
    )
    node = tree[0]
    assert (node.tag, node.number("varno"), node["name"], node["list"], node["none"], node["text"]) == (
        "VAR",
        1,
        "a b",
        [1, 2],
        None,
        "",
    )
    assert node["datum"].data == b"\x01\x00\x00\xff"
    assert [n.tag for n in walk(tree)] == ["VAR", "X"]
    assert same(node, node)
    assert not same(node, Node("VAR", {**node.fields, "varno": "2"}))
    assert same(node, Node("VAR", {**node.fields, "varno": "2", "location": "9"}), {1: 2})
    for broken in ("{X y}", "(", "{X :a 1} {", ""):
        with pytest.raises((ValueError, IndexError)):
            parse_nodes(broken)
