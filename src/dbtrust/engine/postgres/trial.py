"""Single trials: insert a row, run a query for a few rows, read values as texts, each undone where it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result

from dbtrust.engine.postgres.errors import Failure, failure_of
from dbtrust.engine.postgres.sql import load

Row = Mapping[str, str | None]


def insert_statement(schema: str, table: str, row: Row, *, identity: bool = False) -> sql.Composed:
    """An INSERT of literals that the server reads as values of the columns' types; `identity`: of such a column too."""
    name = sql.Identifier(schema, table) if schema != "public" else sql.Identifier(table)
    if not row:
        return sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name)
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in row)
    values = sql.SQL(", ").join(sql.Literal(value) for value in row.values())
    overriding = sql.SQL("OVERRIDING SYSTEM VALUE ") if identity else sql.SQL("")
    return sql.SQL("INSERT INTO {} ({}) {}VALUES ({})").format(name, columns, overriding, values)


def try_insert(connection: psycopg.Connection[Any], statement: sql.Composed | sql.SQL) -> Failure | None:
    """Runs it in a savepoint, in one round trip; what the server refused, or None. Raises where the connection is lost."""
    own = connection.info.transaction_status == pq.TransactionStatus.IDLE
    try:
        if own:
            connection.execute(statement)
        else:
            connection.execute(sql.SQL("{}; {}; {}").format(_MARK, statement, _KEEP), prepare=False)
    except psycopg.Error as error:
        refused = _refused(connection, error)
        if not own:
            connection.execute(_BACK)
        return refused
    return None


_MARK, _KEEP = sql.SQL("SAVEPOINT dbtrust_row"), sql.SQL("RELEASE SAVEPOINT dbtrust_row")
_IMMEDIATE = sql.SQL("SET CONSTRAINTS ALL IMMEDIATE")
_BACK = sql.SQL("ROLLBACK TO SAVEPOINT dbtrust_row; RELEASE SAVEPOINT dbtrust_row")


def try_query(
    connection: psycopg.Connection[Any], text: str, values: Sequence[Any], limit: int
) -> tuple[list[str], list[tuple[Any, ...]]] | Failure:
    """Column names and at most `limit` rows, in a savepoint that is rolled back; or what the server refused."""
    try:
        with connection.transaction(force_rollback=True), psycopg.RawCursor(connection) as cursor:
            cursor.execute(text.encode(), list(values) or None)
            if cursor.description is None:
                return [], []
            return [column.name for column in cursor.description], cursor.fetchmany(limit)
    except psycopg.Error as error:
        return _refused(connection, error)


def gives_row(connection: psycopg.Connection[Any], text: str) -> bool | None:
    """Does the query give a row? None where the server refuses it."""
    found = try_query(connection, text, [], 1)
    return None if isinstance(found, Failure) else bool(found[1])


def texts_of(connection: psycopg.Connection[Any], expressions: Sequence[str]) -> list[str]:
    """What expressions give, as texts; those that the server refuses, or that give NULL, are left out."""
    found = [try_query(connection, f"SELECT ({text})::text", [], 1) for text in expressions]
    rows = [row for one in found if not isinstance(one, Failure) for row in one[1]]
    return [row[0] for row in rows if row[0] is not None]


def _refused(connection: psycopg.Connection[Any], error: psycopg.Error) -> Failure:
    if connection.closed:
        raise error
    return failure_of(error)


def whole(connection: psycopg.Connection[Any]) -> bool:
    """Do the rows so far keep every deferred constraint? They are no longer deferred then. Raises where the connection is lost."""
    return try_insert(connection, _IMMEDIATE) is None


def load_as(connection: psycopg.Connection[Any], value: Any, oid: int) -> Any:
    """The Python value that psycopg loads for a value that is sent as text with this type.

    A literal goes through the type's input function. Raises psycopg.Error where the type does not read it.
    """
    transformer = Transformer(connection)
    sent = transformer.dump_sequence([value], [PyFormat.TEXT])
    with connection.transaction(force_rollback=True):
        result = connection.pgconn.exec_params(b"SELECT $1", sent, [oid])
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise error_from_result(result, connection.info.encoding)
    transformer.set_pgresult(result)
    row = transformer.load_row(0, tuple)
    assert row is not None
    return row[0]


def some_rows(
    connection: psycopg.Connection[Any], schema: str, table: str, columns: Sequence[str], limit: int
) -> list[dict[str, str | None]]:
    """A few rows of a table as texts. Raises psycopg.Error."""
    listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(c)) for c in columns)
    statement = sql.SQL("SELECT {} FROM {} LIMIT {}").format(
        listed, sql.Identifier(schema, table), sql.Literal(limit)
    )
    rows = connection.execute(statement).fetchall()
    return [dict(zip(columns, row, strict=True)) for row in rows]


def shown(connection: psycopg.Connection[Any], statement: sql.Composed) -> str:
    """A statement as text, for evidence."""
    return statement.as_string(connection)


def enum_labels(connection: psycopg.Connection[Any], oid: int) -> list[str]:
    """The labels of an enum, in order; none for other types."""
    rows = connection.execute(load("enum_labels"), {"oid": oid}).fetchall()
    return [label for (label,) in rows]
