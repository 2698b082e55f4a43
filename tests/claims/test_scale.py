"""Claims `at N rows in T`: judged on a server with that many rows, made by the project's own generator."""

from __future__ import annotations

from pathlib import Path

from tests.claims.projects import claimed, outcomes, project

from dbtrust import check

SCHEMA = """
CREATE TABLE a (id bigint PRIMARY KEY, v int NOT NULL);
CREATE INDEX a_v ON a (v);
CREATE TABLE b (id bigint PRIMARY KEY);
CREATE TABLE liar (id bigint PRIMARY KEY);
CREATE SCHEMA other;
CREATE TABLE other.c (id bigint PRIMARY KEY);
"""
DATA = {
    "a": (20, "INSERT INTO a SELECT g, g / 2 FROM generate_series(1, :rows) g"),
    "liar": (20, "INSERT INTO liar SELECT g FROM generate_series(1, least(:rows, 100)) g"),
    "other.c": (20, "INSERT INTO other.c SELECT g FROM generate_series(1, :rows) g"),
}
QUERIES = """
-- name: by_v
-- claim: no seq scan
-- claim: no seq scan at 5_000 rows in a
-- claim: uses a_v on a at 5_000 rows in a
-- claim: uses a_v on a at 21 rows in a
-- claim: cost at most 1 at 5_000 rows in a
-- claim: at least 2x faster than without a_v at 60_000 rows in a
-- claim: no seq scan at 5_000 rows in b
-- claim: no seq scan at 5_000 rows in nowhere
-- claim: uses a_w at 5_000 rows in b
-- claim: no seq scan at 5_000 rows in liar
-- claim: no seq scan at 50 rows in liar
-- example: v = 3
SELECT id FROM a WHERE v = :v;

-- name: of_other
-- claim: no seq scan on other.c at 9_000 rows in other.c
-- claim: no seq scan on other.c at 30 rows in other.c
SELECT id FROM other.c WHERE id = 4;
"""


def test_claims_are_judged_at_the_stated_number_of_rows(tmp_path: Path, postgres_url: str) -> None:
    report = check(
        project(
            tmp_path,
            SCHEMA,
            QUERIES,
            data={k: v for k, v in DATA.items() if k != "other.c"},
            extra=other(tmp_path),
        ),
        only=["claim."],
        postgres=postgres_url,
    )
    assert outcomes(report) == {
        "by_v: no seq scan": "refuted",
        "by_v: no seq scan at 5_000 rows in a": "holds",
        "by_v: uses a_v on a at 5_000 rows in a": "holds",
        "by_v: uses a_v on a at 21 rows in a": "refuted",
        "by_v: cost at most 1 at 5_000 rows in a": "refuted",
        "by_v: at least 2x faster than without a_v at 60_000 rows in a": "holds",
        "by_v: no seq scan at 5_000 rows in b": "unproved no_data",
        "by_v: no seq scan at 5_000 rows in nowhere": "refuted",
        "by_v: uses a_w at 5_000 rows in b": "refuted",
        "by_v: no seq scan at 5_000 rows in liar": "unproved no_data",
        "by_v: no seq scan at 50 rows in liar": "refuted",
        "of_other: no seq scan on other.c at 9_000 rows in other.c": "holds",
        "of_other: no seq scan on other.c at 30 rows in other.c": "refuted",
    }
    found = claimed(report)
    assert found["by_v: no seq scan at 5_000 rows in a"].evidence["data"]["rows"]["a"] == 5_000
    assert "made 100 rows where 5,000" in found["by_v: no seq scan at 5_000 rows in liar"].message
    assert "[data.b]" in found["by_v: no seq scan at 5_000 rows in b"].next


def other(folder: Path) -> str:
    """A table of another schema is named in quotes."""
    folder.mkdir(exist_ok=True)
    (folder / "c.sql").write_text(DATA["other.c"][1])
    return '\n[data."other.c"]\nfile = "c.sql"\nrows = 20\n'
