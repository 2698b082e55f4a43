"""What is read again after a change is equal to what a whole reading gives, for every kind of change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.changes import Watched
from dbtrust.judge.catalog import diff

TESTS = Path(__file__).parents[2]
FILES = (TESTS / "engine/postgres/catalog/changes.sql", TESTS / "judge/repair/more_changes.sql")
CHANGES = {
    label: text.strip()
    for file in FILES
    for label, text in re.findall(r"^-- (.+?) \|.*\n((?:(?!--).*\n)+)", file.read_text(), re.MULTILINE)
}


@pytest.fixture
def watched(catalog_base: tuple[psycopg.Connection[Any], str]) -> Iterator[tuple[Watched, str]]:
    connection, role = catalog_base
    found = Watched(connection)
    found.mark()
    yield found, role


@pytest.mark.parametrize("label", CHANGES)
def test_one_change(label: str, watched: tuple[Watched, str]) -> None:
    watch, role = watched
    connection = watch.connection
    with connection.transaction(force_rollback=True):
        connection.execute(CHANGES[label].replace("{role}", role).encode())
        assert [str(d) for d in diff(snapshot(connection), watch.read())] == []
        assert watch.read() == snapshot(connection)
    assert watch.read() == snapshot(connection)


def test_most_changes_read_little(watched: tuple[Watched, str]) -> None:
    watch, _ = watched
    with watch.connection.transaction(force_rollback=True):
        watch.connection.execute(
            "CREATE TABLE x (a int PRIMARY KEY); ALTER TABLE t ADD COLUMN x int REFERENCES x"
        )
        watch.read()
    assert (watch.whole, watch.partial) == (1, 1)


@pytest.mark.parametrize("seed", range(12))
def test_several_changes_one_after_the_other(seed: int, watched: tuple[Watched, str]) -> None:
    """With savepoints that are rolled back in between, as the prover has them."""
    watch, role = watched
    connection, random = watch.connection, Random(seed)
    with connection.transaction(force_rollback=True):
        for label in random.sample(list(CHANGES), 10):
            try:
                with connection.transaction():
                    connection.execute(CHANGES[label].replace("{role}", role).encode())
                    if random.random() < 0.3:
                        assert watch.read() == snapshot(connection), label
                        raise psycopg.Rollback
            except psycopg.Error:
                continue  # It stands on what an earlier one has dropped.
            assert watch.read() == snapshot(connection), label


def test_after_a_commit_and_a_new_mark(pg: psycopg.Connection[Any]) -> None:
    watch = Watched(pg)
    watch.mark()
    for statement in (
        "CREATE TABLE a (id serial PRIMARY KEY, b text); CREATE SEQUENCE s",
        "CREATE INDEX i ON a (b); COMMENT ON INDEX i IS 'x'; COMMENT ON COLUMN a.b IS 'y'",
        "ALTER SEQUENCE s OWNED BY a.id",
        "ALTER SEQUENCE s OWNED BY NONE",
        "CREATE TYPE e AS ENUM ('a'); CREATE DOMAIN d AS text CHECK (VALUE <> ''); CREATE TYPE c AS (x int)",
        "ALTER TYPE e ADD VALUE 'b'; ALTER DOMAIN d ADD CHECK (VALUE <> 'x'); ALTER TYPE c ALTER ATTRIBUTE x TYPE text",
        "CREATE VIEW v AS SELECT * FROM a; CREATE VIEW w AS SELECT * FROM v",
        "ALTER TABLE a ADD COLUMN c int; CREATE OR REPLACE VIEW v AS SELECT id, b, 1 AS one FROM a",
        "COMMENT ON INDEX i IS NULL",
        "ALTER TABLE a RENAME COLUMN b TO bb",
        "DROP TABLE a CASCADE",
    ):  # fmt: skip
        pg.execute(statement.encode())
        assert watch.read() == snapshot(pg), statement
        assert watch.mark() == snapshot(pg), statement
