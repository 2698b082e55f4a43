"""Rows with values that are given: what no other column can mend is given up at once."""

from __future__ import annotations

from typing import Any

import psycopg

from dbtrust.migrate.filling import Filler

TABLE = """
CREATE SEQUENCE tries;
CREATE FUNCTION tried(n int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''tries''); RETURN true; END';
CREATE TABLE t (a int NOT NULL, b int, c int, CONSTRAINT a_tried CHECK (tried(c)), CHECK (a >= 0), CHECK (a < b));
"""


def one(connection: psycopg.Connection[Any], given: dict[int, str | None]) -> tuple[bool, int]:
    """Was there a row, and how often was one inserted? Everything else is asked in the solver's own questions."""
    row = connection.execute("SELECT 't'::regclass::oid").fetchone()
    assert row is not None
    filler = Filler()
    rows = filler.rows(connection, [row[0]])
    rows.skip(row[0], "a_tried")  # checks run in the order of their names: this one counts INSERTs
    connection.execute("SELECT setval('tries', 1, false)")
    made = filler.one(connection, rows, rows.relations[row[0]], given)
    found = connection.execute("SELECT last_value - (NOT is_called)::int FROM tries").fetchone()
    assert found is not None
    return made is not None, found[0]


def test_what_cannot_be_mended_is_tried_once(pg_database: str) -> None:
    with psycopg.connect(pg_database, autocommit=True) as connection:
        connection.execute(TABLE)
        assert one(connection, {1: "-5"}) == (False, 1)
        assert one(connection, {1: None}) == (False, 0)  # NOT NULL stands before every CHECK
        assert one(connection, {1: "5"}) == (True, 1)  # b is free, and is made to fit


def test_a_given_value_that_another_column_can_mend_is_kept(pg_database: str) -> None:
    with psycopg.connect(pg_database, autocommit=True) as connection:
        connection.execute(TABLE)
        made, _ = one(connection, {1: "900000"})
        assert made
        assert connection.execute("SELECT a, b > a FROM t").fetchone() == (900000, True)
