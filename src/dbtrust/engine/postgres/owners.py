"""ALTER … OWNER TO on a throw-away database, by a role that is no superuser.

PostgreSQL demands that it is a member of the new owner, and that the new owner may create objects in the schema. The
real roles have those rights or not; here they are granted, the second kind for the statement alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.sql import load

Connection = psycopg.Connection[Any]
_OWNER = re.compile(r'\bOWNER\s+TO\s+("(?:[^"]|"")+"|[a-z_][\w$]*)', re.IGNORECASE)


@contextmanager
def owning(connection: Connection, text: str, may_join: Callable[[str], bool]) -> Generator[None]:
    """Around a statement; `may_join`: may the current role become a member of that one? Raises psycopg.Error."""
    names = dict.fromkeys(map(_unquoted, _OWNER.findall(text)))
    taken: list[sql.Composed] = []
    for name in names:
        taken += _grant(connection, name, may_join)
    try:
        yield
    finally:
        if (
            taken
            and not connection.closed
            and connection.info.transaction_status != TransactionStatus.INERROR
        ):
            for statement in taken:
                connection.execute(statement)


def _grant(connection: Connection, name: str, may_join: Callable[[str], bool]) -> list[sql.Composed]:
    """Grants what is missing; the statements that take back what is for one statement alone."""
    row = connection.execute(load("owner_rights"), {"role": name}).fetchone()
    if row is None:
        return []
    joins, schemas, in_database, database = row
    role = sql.Identifier(name)
    if joins and may_join(name):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    places = [sql.SQL("SCHEMA {}").format(sql.Identifier(schema)) for schema in schemas]
    places += [sql.SQL("DATABASE {}").format(sql.Identifier(database))] if in_database else []
    for place in places:
        connection.execute(sql.SQL("GRANT CREATE ON {} TO {}").format(place, role))
    return [sql.SQL("REVOKE CREATE ON {} FROM {}").format(place, role) for place in places]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
