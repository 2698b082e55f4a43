"""Materialized views, made over empty tables, hold the loaded data when claims over them are judged."""

from __future__ import annotations

from pathlib import Path

from tests.claims.projects import claimed, outcomes, project

from dbtrust import Report, check

#: `top` reads `below` through a view that was replaced later, so it is older than what it reads.
SCHEMA = """
CREATE TABLE item (id int PRIMARY KEY, kind int NOT NULL);
CREATE VIEW between AS SELECT id, kind FROM item;
CREATE MATERIALIZED VIEW top AS SELECT id, kind FROM between;
CREATE MATERIALIZED VIEW below AS SELECT id, kind FROM item WITH NO DATA;
CREATE OR REPLACE VIEW between AS SELECT id, kind FROM below;
CREATE MATERIALIZED VIEW "Odd one" AS SELECT 100 / count(*) AS share FROM top WITH NO DATA;
"""
QUERIES = """
-- name: of_top
-- claim: examines at most 1 rows per result
-- claim: no seq scan on top
SELECT id FROM top WHERE kind = 1;

-- name: share
-- claim: examines at most 1 rows per result
SELECT share FROM "Odd one";
"""
ITEMS = "INSERT INTO item SELECT g, g % 1000 FROM generate_series(1, :rows) g"


def run(folder: Path, url: str, rows: int) -> Report:
    built = project(folder, SCHEMA, QUERIES, data={"item": (rows, ITEMS)})
    return check(built, only=["claim.", "query."], postgres=url)


def test_they_are_refreshed_each_after_what_it_reads(tmp_path: Path, postgres_url: str) -> None:
    report = run(tmp_path, postgres_url, 10_000)
    assert outcomes(report) == {
        "of_top: examines at most 1 rows per result": "refuted",
        "of_top: no seq scan on top": "refuted",
        "share: examines at most 1 rows per result": "holds",
    }
    shown = claimed(report)["of_top: examines at most 1 rows per result"].evidence["plan"]["nodes"][0]
    assert (shown["rows"], shown["removed_filter"]) == (10, 9990)


def test_one_that_cannot_be_refreshed_is_an_error_with_its_name(tmp_path: Path, postgres_url: str) -> None:
    report = run(tmp_path, postgres_url, 0)
    assert report.exit_code == 2
    (error,) = report.errors
    assert "the materialized view public.Odd one" in error.message and "division_by_zero" in error.message
    assert {(v.verdict, v.reason) for v in report.verdicts if v.check == "claim.examines"} <= {
        ("unproved", "no_data"), ("unproved", "server_error"), ("refuted", "server_error"),
    }  # fmt: skip
