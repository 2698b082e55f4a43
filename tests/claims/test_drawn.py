"""Queries without an example: their parameters get values from the statistics."""

from __future__ import annotations

from pathlib import Path

from tests.claims.projects import claimed, outcomes, project

from dbtrust import check
from dbtrust.judge.drawing import Drawable, absent, choose_text

SCHEMA = """
CREATE TYPE mood AS ENUM ('ok', 'sad');
CREATE TABLE item (
    id bigint PRIMARY KEY, kind text NOT NULL, price int NOT NULL, made timestamptz NOT NULL, mood mood NOT NULL,
    doc jsonb NOT NULL
);
CREATE INDEX item_kind ON item (kind);
CREATE INDEX item_made ON item (made);
CREATE INDEX item_upper ON item (upper(kind));
"""
ITEMS = """
INSERT INTO item
SELECT g, CASE WHEN g % 10 = 0 THEN 'rare' || g % 400 ELSE 'common' END, g % 500, :now - g * interval '1 hour',
       CASE WHEN g % 90 = 0 THEN 'sad' ELSE 'ok' END::mood, jsonb_build_object('n', g % 3)
FROM generate_series(1, :rows) g
"""
QUERIES = """
-- name: by_id
-- claim: uses item_pkey
-- claim: no seq scan
SELECT kind FROM item WHERE id = :id;

-- name: by_kind
-- claim: no seq scan
SELECT id FROM item WHERE kind = :kind;

-- name: latest
-- claim: uses item_made
-- claim: no sort
SELECT id FROM item WHERE made >= :since ORDER BY made DESC LIMIT :limit;

-- name: between
-- claim: examines at most 4 rows per result
SELECT id FROM item WHERE made >= :low AND made < :high;

-- name: by_upper
-- claim: cost at most 0
SELECT id FROM item WHERE upper(kind) = :kind;

-- name: of_mood
-- claim: cost at most 100000
SELECT id FROM item WHERE mood = :mood AND doc @> :doc AND kind LIKE :pattern AND price = ANY(:prices);

-- name: untyped
-- claim: no sort
SELECT :anything;

-- name: fails
-- claim: no sort
SELECT 1 / (:n::int - :n::int);

-- name: missing
-- claim: uses item_knid
SELECT id FROM item WHERE kind = :kind;

-- name: optional
-- claim: no seq scan
SELECT id FROM item WHERE :id::bigint IS NULL OR id = :id;

-- name: mixed
-- claim: examines at most 1 rows per result
SELECT id FROM item WHERE id = :id AND kind = :kind;

-- name: page
-- claim: examines at most 5 rows per result
SELECT id FROM item WHERE price = :price AND kind = :kind;

-- name: without_claims
SELECT id FROM item WHERE kind = :kind;
"""


def test_values_are_drawn_where_no_example_stands(tmp_path: Path, postgres_url: str) -> None:
    folder = project(tmp_path, SCHEMA, QUERIES, data={"item": (20_000, ITEMS)})
    report = check(folder, only=["claim.", "query."], postgres=postgres_url)
    assert outcomes(report) == {
        "by_id: uses item_pkey": "holds",
        "by_id: no seq scan": "holds",
        "by_kind: no seq scan": "unproved no_example",
        "latest: uses item_made": "holds",
        "latest: no sort": "holds",
        "between: examines at most 4 rows per result": "holds",
        "by_upper: cost at most 0": "unproved no_example",
        "of_mood: cost at most 100000": "holds",
        "untyped: no sort": "holds",
        "fails: no sort": "unproved no_example",
        "missing: uses item_knid": "refuted",
        "optional: no seq scan": "unproved no_example",
        "mixed: examines at most 1 rows per result": "holds",
        "page: examines at most 5 rows per result": "unproved no_example",
    }
    found = claimed(report)
    assert found["by_kind: no seq scan"].evidence["example"] == "drawn common: kind = 'common'"
    assert (
        "RARE" in found["by_upper: cost at most 0"].message
        or "COMMON" in found["by_upper: cost at most 0"].message
    )
    drawn = {(f.subject.rpartition(".")[2], f.severity) for f in report.findings if f.rule == "claim.drawn"}
    assert drawn == {(n, "warning") for n in ("by_kind", "by_upper", "fails", "optional", "page")}
    assert "id = NULL" in found["optional: no seq scan"].evidence["example"]
    assert len(found["mixed: examines at most 1 rows per result"].evidence["drawn"]) > 3
    prepared = {v.subject: (v.verdict, v.reason) for v in report.verdicts if v.check == "query.prepares"}
    assert prepared["query:q.by_id"] == ("unproved", "no_example")


def test_the_kinds_of_values() -> None:
    column = Drawable(("often", "less"), ("aa", "mm", "zz"))
    assert [choose_text(column, "=", k) for k in ("common", "rare", "absent")] == [
        "often",
        "mm",
        "zz (absent)",
    ]
    assert choose_text(column, "= ANY", "common") == '{"often"}'
    assert choose_text(Drawable(("50%_x",), ()), "~~", "common") == "50\\%%"
    numbers = Drawable((), tuple(str(n) for n in range(101)))
    assert [choose_text(numbers, ">=", k) for k in ("common", "rare", "absent")] == ["50", "98", "100"]
    assert [choose_text(numbers, "<", k) for k in ("common", "rare", "absent")] == ["50", "2", "0"]
    low, high = (choose_text(numbers, o, "common", between=True) for o in (">", "<"))
    assert (low, high) == ("25", "75")
    assert choose_text(Drawable((), ()), "=", "common") is None


def test_absent_values_are_of_the_same_kind() -> None:
    assert absent(["1", "9", "3"]) == "10"
    assert absent(["2024-01-01"]) == "2025-01-01"
    assert absent(["2024-01-01 10:00:00+00"]) == "2025-01-01 10:00:00+00:00"
    assert absent(["00000000-0000-0000-0000-000000000001"]) == "ffffffff-ffff-4fff-8fff-fffffffffffe"
    assert absent(["t", "f"]) is None
    assert absent(['{"a": 1}']) is None
