"""claim.generic: the plan without the parameters' values, and whether the server turns to it by itself."""

from __future__ import annotations

from pathlib import Path

from tests.claims.projects import claimed, outcomes, project

from dbtrust import check

SCHEMA = """
CREATE TABLE job (id bigint PRIMARY KEY, state text NOT NULL, n int NOT NULL);
CREATE INDEX job_rare ON job (n) WHERE state = 'rare';
CREATE TABLE few (id bigint PRIMARY KEY, state text NOT NULL);
CREATE INDEX few_rare ON few (id) WHERE state = 'rare';
"""
DATA = {
    "job": (
        20_000,
        "INSERT INTO job SELECT g, CASE WHEN g % 100 = 0 THEN 'rare' ELSE 'often' END, g FROM generate_series(1, :rows) g",
    ),
    "few": (
        550,
        "INSERT INTO few SELECT g, CASE WHEN g % 100 = 0 THEN 'rare' ELSE 'often' END FROM generate_series(1, :rows) g",
    ),
}
QUERIES = """
-- name: good
-- claim: uses job_pkey
-- claim: examines at most 1 rows per result
-- claim: cost at most 9
-- example: id = 7
-- example absent: id = -1
SELECT n FROM job WHERE id = :id;

-- name: two_types
-- claim: uses job_pkey
-- example small: id = 7
-- example large: id = 100000
SELECT n FROM job WHERE id = :id;

-- name: stays_custom
-- claim: uses job_rare
-- example: state = 'rare'
SELECT id FROM job WHERE state = :state AND n > 0;

-- name: turns
-- claim: uses few_rare
-- example: state = 'rare'
SELECT id FROM few WHERE state = :state AND id < 100000;

-- name: write
-- claim: uses job_pkey
-- example: id = 7
UPDATE job SET n = n + 1 WHERE id = :id;

-- name: lists
-- claim: uses job_pkey
-- example: ids = ARRAY[1, 2]::bigint[]
SELECT n FROM job WHERE id = ANY(:ids);

-- name: null
-- claim: uses job_pkey
-- example: id = 7, text = NULL
SELECT n FROM job WHERE id = :id AND (:text::text IS NULL OR state = :text);

-- name: only_cost
-- claim: cost at most 9
-- example: id = 7
SELECT n FROM job WHERE id = :id;

-- name: no_parameters
-- claim: uses job_pkey
SELECT n FROM job WHERE id = 3;
"""


def test_the_generic_plan_is_judged(tmp_path: Path, postgres_url: str) -> None:
    report = check(project(tmp_path, SCHEMA, QUERIES, data=DATA), only=["claim."], postgres=postgres_url)
    found = {key: word for key, word in outcomes(report).items() if key.endswith("claim.generic")}
    assert found == {
        "good: claim.generic": "holds",
        "two_types: claim.generic": "holds",
        "stays_custom: claim.generic": "unproved generic",
        "turns: claim.generic": "refuted",
        "write: claim.generic": "holds",
        "lists: claim.generic": "holds",
        "null: claim.generic": "holds",
    }
    assert all(word == "holds" for key, word in outcomes(report).items() if not key.endswith("generic"))
    verdict = claimed(report)["turns: claim.generic"]
    assert verdict.reason == "generic" and verdict.evidence["turns_generic"] is True
    assert "uses few_rare" in verdict.message and "after five executions" in verdict.message


def test_it_can_be_left_out(tmp_path: Path, postgres_url: str) -> None:
    report = check(project(tmp_path, SCHEMA, QUERIES, data=DATA), only=["claim.uses"], postgres=postgres_url)
    assert {v.check for v in report.verdicts} == {"claim.uses"}
