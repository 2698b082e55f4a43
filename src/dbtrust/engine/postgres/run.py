"""Runs a statement of the project whose effect is thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import Failure


def run_rolled_back(connection: psycopg.Connection[Any], text: str, values: Sequence[Any] = ()) -> None:
    """Executes `text` with $1 … and rolls back. Without values several statements may stand in it.

    Raises psycopg.Error.
    """
    with connection.transaction(force_rollback=True), psycopg.RawCursor(connection) as cursor:
        cursor.execute(text.encode(), list(values) or None)


def execute_last(connection: psycopg.Connection[Any], text: str) -> list[tuple[Any, ...]] | None:
    """Executes one statement without parameters; its rows, or None where it gives none. Raises psycopg.Error."""
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(text.encode())
        return cursor.fetchall() if cursor.description is not None else None


def copy_in(connection: psycopg.Connection[Any], text: str, data: str) -> None:
    """Executes a COPY … FROM STDIN with its rows. Raises psycopg.Error."""
    with connection.cursor() as cursor, cursor.copy(text.encode()) as copy:
        copy.write(data)


def execute_composed(connection: psycopg.Connection[Any], statement: sql.Composable) -> None:
    """Executes a statement that was put together from identifiers and literals. Raises psycopg.Error."""
    connection.execute(sql.Composed([statement]))


_DROPS: dict[str, LiteralString] = {
    "table": "DROP TABLE {} CASCADE", "index": "DROP INDEX {} CASCADE", "sequence": "DROP SEQUENCE {} CASCADE",
    "view": "DROP MATERIALIZED VIEW {} CASCADE", "column": "ALTER TABLE {} DROP COLUMN {} CASCADE",
}  # fmt: skip


def drop_object(
    connection: psycopg.Connection[Any], kind: str, schema: str | None, name: str, part: str | None = None
) -> None:
    """Drops an object of the project in a transaction that the caller rolls back. Raises psycopg.Error."""
    parts = [sql.Identifier(schema, name) if schema else sql.Identifier(name)] + (
        [sql.Identifier(part)] if part else []
    )
    connection.execute(sql.SQL(_DROPS[kind]).format(*parts))


def drop_check(connection: psycopg.Connection[Any], failure: Failure) -> None:
    """Drops the CHECK of a table or domain that a statement broke, in a transaction that the caller rolls back.

    Raises psycopg.Error.
    """
    on_domain = failure.datatype is not None
    template: LiteralString = (
        "ALTER DOMAIN {} DROP CONSTRAINT {}" if on_domain else "ALTER TABLE {} DROP CONSTRAINT {} CASCADE"
    )
    owner = sql.Identifier(str(failure.schema), str(failure.datatype if on_domain else failure.table))
    connection.execute(sql.SQL(template).format(owner, sql.Identifier(str(failure.constraint))))
