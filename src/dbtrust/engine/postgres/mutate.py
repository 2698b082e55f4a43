"""Applies mutants: statements put together from identifiers, values and the server's own SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.run import execute_last
from dbtrust.engine.postgres.sql import load
from dbtrust.model.mutants import Change, MongoChange, NewBody, Part, Relation

Connection = psycopg.Connection[Any]
_NEW_BODY = "SELECT replace(pg_get_functiondef(oid), prosrc, %s) FROM pg_proc WHERE oid = to_regprocedure(%s)"


def apply_changes(connection: Connection, changes: Iterable[Change | NewBody | MongoChange]) -> None:
    """Runs the changes in order. Raises psycopg.Error where the server refuses one."""
    for change in changes:
        if isinstance(change, NewBody):
            row = connection.execute(_NEW_BODY, [change.body, change.function]).fetchone()
            if row is not None:
                execute_last(connection, row[0])
        elif isinstance(change, Change):
            connection.execute(composed(change))


def composed(change: Change) -> sql.Composed:
    """The statement with its parts in place."""
    return sql.SQL(change.template).format(*map(_part, change.parts))


def _part(part: Part) -> sql.Composable:
    if part.kind == "name":
        return sql.Identifier(*part.text)
    if part.kind == "value":
        return sql.Literal(part.text[0])
    if part.kind == "regclass":
        return sql.Literal(sql.Identifier(*part.text).as_string())
    # The server's own words, or the grammar's: no text of a client's.
    return sql.SQL(cast("LiteralString", part.text[0].replace("{", "{{").replace("}", "}}"))).format()


def state(connection: Connection, probe: Change) -> str | None:
    """The text that tells an object's state; None where it is gone. Raises psycopg.Error."""
    row = connection.execute(composed(probe)).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def state_test(connection: Connection, probe: Change, expected: str | None) -> str:
    """A SELECT of one boolean: the object is in the expected state."""
    inner = composed(probe)
    test = sql.SQL("SELECT ({}) IS NOT DISTINCT FROM {}").format(inner, sql.Literal(expected))
    return test.as_string(connection)


def touched(connection: Connection, statements: Sequence[str], *, refused: bool) -> set[Relation] | None:
    """The tables that the statements of a proof lock; None where the server cannot tell.

    What a refused statement locked is released with it: it is planned instead. All is rolled back.
    """
    try:
        with connection.transaction(force_rollback=True):
            for text in statements if not refused else statements[:-1]:
                execute_last(connection, text)
            if refused:
                execute_last(connection, f"EXPLAIN {statements[-1]}")
            rows = connection.execute(load("locked_tables")).fetchall()
    except (psycopg.Error, IndexError):
        if connection.closed:
            raise
        return None
    return {(row[0], row[1]) for row in rows} or None
