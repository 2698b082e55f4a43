"""Claims that hold over nothing, and plans that policies would change: a warning beside the verdict."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import psycopg
from tests.claims.projects import outcomes, project

from dbtrust import Report, check
from dbtrust.checks.api import Options, run_check

SCHEMA = """
CREATE SCHEMA s;
CREATE TABLE full_one (id int PRIMARY KEY, kind int NOT NULL);
CREATE TABLE nogen (id int PRIMARY KEY, kind int NOT NULL);
CREATE TABLE s.nogen (id int PRIMARY KEY);
CREATE TABLE none_made (id int PRIMARY KEY);
CREATE TABLE seeded (id int PRIMARY KEY);
INSERT INTO seeded VALUES (1);
CREATE TABLE parted (id int, kind int) PARTITION BY LIST (kind);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TABLE bare (id int) PARTITION BY LIST (id);
CREATE TABLE bare_1 PARTITION OF bare FOR VALUES IN (1);
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
CREATE MATERIALIZED VIEW shown AS SELECT id FROM nogen;
"""
QUERIES = """
-- name: vacuous
-- claim: examines at most 1 rows per result
-- claim: cost at most 50
-- claim: no sort
-- claim: no seq scan
SELECT id FROM nogen WHERE kind = 3;

-- name: in_schema
-- claim: no sort
SELECT id FROM s.nogen;

-- name: none_made
-- claim: no sort
SELECT id FROM none_made;

-- name: of_view
-- claim: no sort
SELECT id FROM shown;

-- name: partitions
-- claim: no sort
SELECT id FROM bare;

-- name: changed
-- claim: no sort
UPDATE nogen SET kind = 1 WHERE id = 1;

-- name: about_the_empty_one
-- claim: examines at most 1 rows per result on nogen
SELECT n.kind FROM full_one f LEFT JOIN nogen n USING (id) WHERE f.id = 1;

-- name: half
-- claim: no sort
SELECT f.id FROM full_one f JOIN nogen n USING (id) WHERE f.id = 1;

-- name: refuted_alone
-- claim: no seq scan
SELECT id FROM nogen;

-- name: no_relation
-- claim: no sort
SELECT 1;

-- name: catalog
-- claim: no sort
SELECT 1 FROM pg_catalog.pg_largeobject;

-- name: seeded
-- claim: no sort
SELECT id FROM seeded;

-- name: pruned
-- claim: no sort
SELECT id FROM parted WHERE kind = 2;

-- name: inherited
-- claim: no sort
SELECT id FROM ONLY parent;

-- name: inserted
-- claim: no sort
INSERT INTO nogen VALUES (1, 2);
"""
DATA = {
    "full_one": (100, "INSERT INTO full_one SELECT g, g FROM generate_series(1, :rows) g"),
    "none_made": (5, "INSERT INTO none_made SELECT g FROM generate_series(1, :rows) g WHERE g > 5"),
    "parted": (9, "INSERT INTO parted SELECT g, 1 FROM generate_series(1, :rows) g"),
    "child": (9, "INSERT INTO child SELECT g FROM generate_series(1, :rows) g"),
}


def found(report: Report, rule: str) -> dict[str, str]:
    """Query -> message."""
    assert not report.errors, report.errors
    assert {f.severity for f in report.findings if f.rule == rule} <= {"warning"}
    return {f.subject.rpartition(".")[2]: f.message for f in report.findings if f.rule == rule}


def test_claims_that_hold_over_empty_relations_are_told(tmp_path: Path, postgres_url: str) -> None:
    report = check(project(tmp_path, SCHEMA, QUERIES, data=DATA), only=["claim."], postgres=postgres_url)
    assert outcomes(report)["vacuous: examines at most 1 rows per result"] == "holds"
    told = found(report, "claim.no_rows")
    over = ": claims that hold over nothing say nothing of real data"
    assert told == {
        "vacuous": f"nogen has no rows, and nothing makes rows of nogen{over}",
        "in_schema": f"s.nogen has no rows, and nothing makes rows of s.nogen{over}",
        "none_made": f"none_made has no rows{over}",
        "of_view": f"shown has no rows{over}",
        "partitions": f"bare has no rows, and nothing makes rows of bare{over}",
        "changed": f"nogen has no rows, and nothing makes rows of nogen{over}",
        "about_the_empty_one": f"nogen has no rows, and nothing makes rows of nogen{over}",
    }
    vacuous = next(f for f in report.findings if f.subject.endswith(".vacuous"))
    assert vacuous.fix == "add [data.nogen], with as many rows as matter"
    assert vacuous.evidence["claims"] == ["examines at most 1 rows per result", "cost at most 50", "no sort"]


SECURED = """
CREATE TABLE tenant (id int PRIMARY KEY);
CREATE TABLE {0} (id int PRIMARY KEY, tenant int NOT NULL);
CREATE POLICY own ON {0} USING (tenant IN (SELECT id FROM tenant));
ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;
"""
OF_SECURED = """
-- name: reads
-- claim: no seq scan
SELECT id FROM doc WHERE id = 1;

-- name: writes
-- claim: no sort
INSERT INTO doc VALUES (1, 2);

-- name: forced
-- claim: no sort
SELECT id FROM forced WHERE id = 1;

-- name: other
-- claim: no sort
SELECT id FROM tenant;

-- name: without_claims
SELECT id FROM doc WHERE id = 2;
"""


def test_policies_that_do_not_bind_the_judging_role_are_told(tmp_path: Path) -> None:
    """On an embedded server, where the project's owner judges."""
    schema = SECURED.format("doc") + SECURED.split(";", 1)[1].format("forced")
    built = project(tmp_path, schema + "ALTER TABLE forced FORCE ROW LEVEL SECURITY;", OF_SECURED)
    told = found(check(built, only=["claim."]), "claim.row_security")
    message = "row level security of doc does not bind the role that judged: with the policies the plan may be another"
    assert told == {"reads": message, "writes": message}


def test_on_a_database_in_use_it_is_the_role_of_the_url(
    tmp_path: Path, postgres_url: str, pg_database: str, pg: psycopg.Connection[Any]
) -> None:
    pg.execute(SECURED.format("doc"))
    role = f"app_{uuid.uuid4().hex[:12]}"
    pg.execute(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON doc, tenant TO {role}")
    try:
        built = project(tmp_path, "", OF_SECURED.split("-- name: writes")[0])
        told = [
            found(
                run_check(Options(built, only=("claim.",), postgres=url, live=frozenset({"postgres"}))),
                "claim.row_security",
            )
            for url in (pg_database, psycopg.conninfo.make_conninfo(pg_database, user=role))
        ]
        assert [sorted(one) for one in told] == [["reads"], []]
    finally:
        pg.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


MONGO = """
[project]
name = "small"
python = ["."]

[mongo]
collections = ["warned_store:full", "warned_store:bare"]
queries = ["warned_store:Store"]

[data.full]
file = "full.py"
rows = 50
"""
STORE = """
from pydantic import BaseModel
from pymongo import IndexModel
from dbtrust import Collection, MongoQueries, claim

class One(BaseModel):
    n: int

full = Collection("full", One, indexes=[IndexModel([("n", 1)], name="n")])
bare = Collection("bare", One, indexes=[IndexModel([("n", 1)], name="n")])

class Store(MongoQueries):
    @claim("examines at most 1 documents per result", "no sort")
    def vacuous(self) -> list[dict]:
        return list(self.db.bare.find({"n": {"$gt": 3}}))

    @claim("no sort")
    def looked_up(self) -> list[dict]:
        look = {"from": "bare", "localField": "n", "foreignField": "n", "as": "x"}
        return list(self.db.full.aggregate([{"$lookup": look}]))

    @claim("no collection scan")
    def of_full(self) -> list[dict]:
        return list(self.db.full.find({"n": 3}))

    @claim("no collection scan")
    def refuted_alone(self) -> list[dict]:
        return list(self.db.bare.find({"m": 3}))
"""
FULL = "def rows(n, now, seed):\n    return ({'_id': i, 'n': i} for i in range(n))\n"


def test_empty_collections_are_told(tmp_path: Path, mongo_url: str) -> None:
    for name, text in (("dbtrust.toml", MONGO), ("warned_store.py", STORE), ("full.py", FULL)):
        (tmp_path / name).write_text(text)
    report = check(tmp_path, only=["claim."], mongo=mongo_url)
    assert outcomes(report)["vacuous: no sort"] == "holds"
    over = ": claims that hold over nothing say nothing of real data"
    assert found(report, "claim.no_rows") == {
        "vacuous": f"bare has no rows, and nothing makes rows of bare{over}"
    }
