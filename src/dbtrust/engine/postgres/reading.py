"""A database of the user's that is read and never written."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from dbtrust.engine.postgres.connect import connect

#: A catalog question may run this long, and wait this long for somebody's lock, before it is given up.
STATEMENT_TIMEOUT_MS, LOCK_TIMEOUT_MS = 60_000, 2_000


@contextmanager
def reading(url: str) -> Generator[psycopg.Connection[Any]]:
    """One READ ONLY transaction that sees one state of the database and is rolled back.

    All settings are the transaction's own, so a pooler's connection is given back as it was. Raises ServerError.
    """
    with connect(url) as connection, connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
            [str(STATEMENT_TIMEOUT_MS), str(LOCK_TIMEOUT_MS)],
        )
        yield connection


def owner_of(connection: psycopg.Connection[Any]) -> str:
    """The name of the role that owns the connection's database."""
    row = connection.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    return str(row[0])
