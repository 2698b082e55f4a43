"""The values of an example: SQL expressions evaluated once on the server and loaded by psycopg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from dbtrust.queries.values import send as as_sent

__all__ = ["as_sent", "evaluate"]


def evaluate(connection: psycopg.Connection[Any], expressions: Sequence[str]) -> list[Any]:
    """The Python value of each SQL expression, all in one statement, in a read-only transaction.

    The expressions are code of the project, like its queries; they run as the owner. Raises psycopg.Error.
    """
    if not expressions:
        return []
    statement = "SELECT " + ",\n".join(f"({text}\n)" for text in expressions)
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        with psycopg.RawCursor(connection) as cursor:
            row = cursor.execute(statement.encode()).fetchone()
    assert row is not None
    return list(row)
