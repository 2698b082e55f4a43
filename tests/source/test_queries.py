"""Query files: aiosql's grammar, tag lines, and a place for every error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtrust.source.queries import distance, parse_queries

TEXT = """-- a file may say something first

-- name: one(a, b)^
-- What it is for.
-- Second line.
-- claim:  uses   i on t
-- claim: no sort
-- example the first: a = 1, b = 'x: y'
-- example: a = 2, b = 'z'
-- choice: col = id | name
SELECT *  -- claim is a word here
FROM t WHERE a = :a AND b = :b ORDER BY {col};

-- name: two$
  SELECT 1

-- name: three!
DELETE FROM t;
-- name: four<!
INSERT INTO t VALUES (1) RETURNING id;
-- name: five*!
INSERT INTO t VALUES (:x);
-- name: six#
CREATE TABLE x (); CREATE TABLE y ();
"""


def test_a_file() -> None:
    found = parse_queries(TEXT, "q/users.sql", prefix="admin.")
    assert found.errors == ()
    one = found.queries[0]
    assert [q.operator for q in found.queries] == ["^", "$", "!", "<!", "*!", "#"]
    assert (one.subject, one.params, one.doc) == (
        "query:admin.users.one",
        ("a", "b"),
        "What it is for.\nSecond line.",
    )
    assert [(c.text, str(c.location)) for c in one.claims] == [
        ("uses i on t", "q/users.sql:6:12"),
        ("no sort", "q/users.sql:7:11"),
    ]
    assert [(e.label, e.text) for e in one.examples] == [
        ("the first", "a = 1, b = 'x: y'"),
        ("", "a = 2, b = 'z'"),
    ]
    assert one.choices == {"col": ("id", "name")}
    assert one.sql.startswith("SELECT *  -- claim") and one.sql.endswith("{col};")
    assert str(one.sql_location) == "q/users.sql:11:1"
    assert str(found.queries[1].sql_location) == "q/users.sql:15:3"


@pytest.mark.parametrize(
    ("text", "place", "said", "step"),
    [
        ("-- name: 1x\nSELECT 1", "f.sql:1:1", "not a query name", "some_name"),
        ("-- name: a b\nSELECT 1", "f.sql:1:1", "not a query name", "some_name"),
        ("-- claim: no sort\n-- name: a\nSELECT 1", "f.sql:1:4", "outside a query", "below"),
        ("-- name: a\nSELECT 1\n-- claim: no sort", "f.sql:3:4", "after its SQL", "before"),
        ("-- name: a\n-- example\n-- exmaple: x = 1\nSELECT 1", "f.sql:3:4", "exmaple", "example"),
        ("-- name: a\n-- Claim: no sort\nSELECT 1", "f.sql:2:4", "Claim", "claim"),
        ("-- nam: a\nSELECT 1", "f.sql:1:4", "nam", "name"),
        ("-- name: a\n-- choice: x\nSELECT 1", "f.sql:2:12", "not a choice", "one | other"),
        ("-- name: a\n\n-- name: b\nSELECT 1", "f.sql:1:10", "has no SQL", "below"),
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2", "f.sql:3:10", "already in line 1", "another name"),
    ],
)  # fmt: skip
def test_errors(text: str, place: str, said: str, step: str) -> None:
    (error,) = parse_queries(text, "f.sql").errors
    assert (str(error.location), said in error.message, step in error.next) == (place, True, True)


def test_one_bad_query_does_not_lose_the_others() -> None:
    found = parse_queries("-- name: a\n-- clai: x\nSELECT 1\n-- name: b\nSELECT 2", "f.sql")
    assert [q.name for q in found.queries] == ["a", "b"]
    assert len(found.errors) == 1


def test_other_comments_are_documentation() -> None:
    found = parse_queries(
        "-- name: a\n-- remark: this is slow\n-- see: other\n-- record_class: X\nSELECT 1", "f.sql"
    )
    assert found.errors == ()
    assert found.queries[0].doc == "remark: this is slow\nsee: other\nrecord_class: X"


def test_distance() -> None:
    assert [
        distance(a, b) for a, b in [("", "abc"), ("claim", "clain"), ("name", "name"), ("exmaple", "example")]
    ] == [3, 1, 0, 2]


LINES = st.sampled_from(
    [
        "-- name: a",
        "-- name: b!",
        "-- claim: x",
        "-- clam: x",
        "-- example: a = 1",
        "SELECT :a",
        "",
        "--",
        "-- é",
        ";",
        "/*",
        "-- choice: a=b",
    ]
)


@given(st.lists(LINES | st.text(max_size=20), max_size=12).map("\n".join))
def test_it_never_raises(text: str) -> None:
    found = parse_queries(text, "f.sql")
    assert len({q.name for q in found.queries}) == len(found.queries)
    assert all(e.location.line for e in found.errors)
