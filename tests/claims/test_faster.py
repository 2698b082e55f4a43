"""`at least Nx faster than without INDEX` on PostgreSQL: interleaved pairs, with the index hidden."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.claims.projects import claimed, outcomes, project

from dbtrust import check
from dbtrust.judge.speed import ratio_of_medians

SCHEMA = """
CREATE TABLE event (id bigint PRIMARY KEY, kind int NOT NULL, at timestamptz NOT NULL, unused int);
CREATE INDEX event_at ON event (at);
CREATE INDEX event_unused ON event (unused);
CREATE UNIQUE INDEX event_pair ON event (kind, id);
CREATE TABLE part (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (20000);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (20000) TO (1000000);
CREATE INDEX part_at ON part (at);
CREATE SCHEMA a_first;
CREATE TABLE a_first.event (at timestamptz);
CREATE INDEX event_pair ON a_first.event (at);
"""
EVENTS = (
    "INSERT INTO event SELECT g, g % 7, :now - g * interval '1 minute', g + :seed"
    " FROM generate_series(1, :rows) g"
)
PARTS = "INSERT INTO part SELECT g, :now - g * interval '1 minute' FROM generate_series(1, :rows) g WHERE :seed = 1"
DATA = {"event": (40_000, EVENTS), "part": (40_000, PARTS)}
QUERIES = """
-- name: last_hour
-- claim: at least 3x faster than without event_at
-- claim: at least 1_000_000x faster than without event_at
-- claim: at least 2x faster than without event_unused
-- claim: at least 2x faster than without event_att
SELECT id, at FROM event WHERE at >= (SELECT max(at) FROM event) - interval '1 hour';

-- name: by_id
-- claim: at least 2x faster than without event_pkey
-- example: id = 17
SELECT at FROM event WHERE id = :id;

-- name: of_pair
-- claim: at least 2x faster than without event_pair
SELECT max(id) FROM event WHERE kind = 99;

-- name: upsert
-- claim: at least 2x faster than without event_pkey
-- example: id = 17
INSERT INTO event VALUES (:id, 1, now(), 1) ON CONFLICT (id) DO UPDATE SET unused = 2;

-- name: touch
-- claim: at least 2x faster than without event_at
-- example: at = (SELECT max(at) FROM event)
UPDATE event SET unused = 3 WHERE at = :at;

-- name: of_parts
-- claim: at least 3x faster than without part_at
-- example: at = (SELECT at FROM part WHERE id = 39000)
SELECT id FROM part WHERE at = :at;
"""
WANTED = {
    "last_hour: at least 3x faster than without event_at": "holds",
    "last_hour: at least 1_000_000x faster than without event_at": "refuted",
    "last_hour: at least 2x faster than without event_unused": "refuted",
    "last_hour: at least 2x faster than without event_att": "refuted",
    "by_id: at least 2x faster than without event_pkey": "holds",
    "of_pair: at least 2x faster than without event_pair": "holds",
    "upsert: at least 2x faster than without event_pkey": "unproved server_error",
    "touch: at least 2x faster than without event_at": "holds",
    "of_parts: at least 3x faster than without part_at": "holds",
}


def test_gains_are_measured(tmp_path: Path, postgres_url: str) -> None:
    report = check(
        project(tmp_path, SCHEMA, QUERIES, data=DATA), only=["claim.faster"], postgres=postgres_url
    )
    assert outcomes(report) == WANTED
    found = claimed(report)
    holds = found["last_hour: at least 3x faster than without event_at"]
    assert holds.evidence["pairs"] >= 7
    assert holds.evidence["low"] <= holds.evidence["ratio"] <= holds.evidence["high"]
    assert holds.evidence["with_reads"]["blocks"] < holds.evidence["without_reads"]["blocks"]
    assert "Seq Scan" in str(holds.evidence["plan_without"])
    assert (
        "claimed at least 1,000,000x"
        in found["last_hour: at least 1_000_000x faster than without event_at"].message
    )
    assert "event_at" in found["last_hour: at least 2x faster than without event_att"].next
    assert "ON CONFLICT" in found["upsert: at least 2x faster than without event_pkey"].message


@pytest.fixture
def plain_role(postgres_url: str) -> Iterator[str]:
    """The URL of a role that may create databases and is no superuser."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE plain_maker LOGIN CREATEDB PASSWORD 'x'")
        try:
            yield make_conninfo(postgres_url, user="plain_maker", password="x", dbname="postgres")
        finally:
            admin.execute(sql.SQL("DROP ROLE plain_maker"))


def test_without_a_superuser_the_index_is_dropped_and_comes_back(tmp_path: Path, plain_role: str) -> None:
    report = check(project(tmp_path, SCHEMA, QUERIES, data=DATA), only=["claim.faster"], postgres=plain_role)
    expected = WANTED | {"by_id: at least 2x faster than without event_pkey": "unproved server_error"}
    assert outcomes(report) == expected
    message = claimed(report)["by_id: at least 2x faster than without event_pkey"].message
    assert "belongs to a constraint" in message


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=31), st.floats(1.1, 1000))
def test_the_interval_of_a_known_ratio_contains_it(times: list[float], factor: float) -> None:
    found = ratio_of_medians(times, [time * factor for time in times])
    assert found.low <= found.ratio * 1.0000001
    assert found.ratio <= found.high * 1.0000001
    assert found.ratio == pytest.approx(factor)


def test_equal_times_decide() -> None:
    found = ratio_of_medians([1.0] * 7, [10.0] * 7)
    assert (found.low, found.ratio, found.high) == (10, 10, 10)
    assert found.decide(10) == "holds"
    assert found.decide(10.5) == "refuted"
    assert ratio_of_medians([1.0, 2.0] * 4, [9.0, 30.0] * 4).decide(12) == "unproved"
