"""What sequences give next; and how they are moved on to where an application would have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.sql import load
from dbtrust.engine.postgres.table_rows import Name

#: So far a sequence is moved that belongs to no column.
_FAR = 1000


@dataclass(frozen=True, slots=True)
class Counter:
    """A sequence that counts upwards. `next` is what it gives next, `least` what it may give next without a value twice.

    `table` and `column` are those that it belongs to; None and "" where it belongs to none.
    """

    name: Name
    next: int
    least: int
    table: Name | None
    column: str


def move_on(connection: psycopg.Connection[Any]) -> None:
    """Each sequence stands where its column's largest value is, one without a column some way on; none is set back.

    No transaction takes it back. A value that leaves too little room in the sequence is not taken. Raises psycopg.Error.
    """
    for sequence, largest, half, *_ in _sequences(connection):
        asked = sql.SQL(
            "SELECT setval({}, l.value) FROM ({}) l(value), {} s"
            " WHERE l.value < {} AND (l.value > s.last_value OR (l.value = s.last_value AND NOT s.is_called))"
        ).format(sql.Literal(sequence.as_string(connection)), largest, sequence, sql.Literal(half))
        try:
            with connection.transaction():
                connection.execute(asked)
        except psycopg.Error:
            if connection.closed:
                raise


def counters(connection: psycopg.Connection[Any]) -> dict[Name, Counter]:
    """What each sequence that counts upwards would give next. Raises psycopg.Error."""
    found: dict[Name, Counter] = {}
    for sequence, largest, _, name, table, column in _sequences(connection):
        asked = sql.SQL("SELECT last_value + is_called::int, ({}) FROM {}").format(largest, sequence)
        row = connection.execute(asked).fetchone()
        assert row is not None
        least = row[0] if table is None else min(row[0], (row[1] or 0) + 1)
        found[name] = Counter(name, row[0], least, table, column or "")
    return found


def _sequences(
    connection: psycopg.Connection[Any],
) -> Iterator[tuple[sql.Identifier, sql.Composable, int, Name, Name | None, str | None]]:
    """(sequence, the largest value that was taken from it, half of its range, its name, its table and column)."""
    for schema, name, table_schema, table, column, half in connection.execute(
        load("sequence_values")
    ).fetchall():
        largest: sql.Composable = sql.SQL("SELECT {}::int8").format(sql.Literal(_FAR))
        if column is not None:
            largest = sql.SQL("SELECT max({})::int8 FROM {}").format(
                sql.Identifier(column), sql.Identifier(table_schema, table)
            )
        owner = (table_schema, table) if column is not None else None
        yield sql.Identifier(schema, name), largest, half, (schema, name), owner, column
