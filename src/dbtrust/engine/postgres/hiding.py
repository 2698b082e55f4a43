"""What a statement costs while an index is out of the planner's sight."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from dbtrust.engine.postgres import sql
from dbtrust.engine.postgres.explain import timed
from dbtrust.model.plan import Plan

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Index:
    """An index as the catalog names it; `of_constraint`: a primary key, unique or exclusion constraint owns it."""

    oid: int
    schema: str
    name: str
    of_constraint: bool


class CannotHide(Exception):
    """The index cannot be taken out of the planner's sight with the rights of this connection; the text says why."""


def find_index(connection: Connection, name: str, schema: str | None) -> Index | None:
    """The index that a claim names. Raises psycopg.Error."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(sql.load("index_named"), {"name": name, "schema": schema}).fetchone()
    return Index(**row) if row else None


@contextmanager
def hidden(connection: Connection, index: Index) -> Generator[None]:
    """A transaction, rolled back at the end, in which the planner does not see the index.

    A superuser marks it as not valid; another role drops it, which the rollback undoes. Raises CannotHide and
    psycopg.Error.
    """
    with connection.transaction(force_rollback=True):
        hide(connection, index)
        yield


def hide(connection: Connection, index: Index) -> None:
    """The same inside a transaction that the caller rolls back."""
    if is_superuser(connection):
        connection.execute(sql.load("hide_index"), {"index": index.oid})
    elif index.of_constraint:
        raise CannotHide(f"{index.name} belongs to a constraint, and hiding it needs a superuser")
    else:
        statement = SQL("DROP INDEX {}").format(Identifier(index.schema, index.name))
        connection.execute(statement)


def is_superuser(connection: Connection) -> bool:
    """May this role do what only a superuser may?"""
    return connection.info.parameter_status("is_superuser") == "on"


def time_pair(
    connection: Connection, role: str | None, index: Index, text: str, values: Sequence[Any]
) -> tuple[Plan, Plan]:
    """The statement executed with the index and without it, as `role`; both are rolled back.

    Raises CannotHide, and psycopg.Error also where the statement cannot run without the index.
    """
    with connection.transaction(force_rollback=True):
        seen = _as(connection, role, text, values)
    with hidden(connection, index):
        return seen, _as(connection, role, text, values)


def _as(connection: Connection, role: str | None, text: str, values: Sequence[Any]) -> Plan:
    if role is not None:
        connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(role)))
    return timed(connection, text, values)
