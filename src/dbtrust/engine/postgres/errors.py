"""What a PostgreSQL error says, without the driver's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg
from psycopg import errors


@dataclass(frozen=True, slots=True)
class Failure:
    """A server's error. `position` is a 1-based character of the statement; absent fields are None.

    `datatype` is the type that the server names (a domain's violation). A broken connection has no sqlstate.
    """

    sqlstate: str | None
    message: str
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    datatype: str | None = None
    position: int | None = None
    detail: str | None = None
    hint: str | None = None


def failure_of(error: psycopg.Error) -> Failure:
    """The fields of the protocol's ErrorResponse (PostgreSQL manual, "Error and Notice Message Fields")."""
    diag = error.diag
    return Failure(
        sqlstate=error.sqlstate or diag.sqlstate,
        message=_one_line(diag.message_primary or str(error)),
        schema=diag.schema_name,
        table=diag.table_name,
        column=diag.column_name,
        constraint=diag.constraint_name,
        datatype=diag.datatype_name,
        position=position(error),
        detail=diag.message_detail,
        hint=diag.message_hint,
    )


def position(error: psycopg.Error) -> int | None:
    """The 1-based character of the statement at which the server points, or None."""
    text = error.diag.statement_position
    return int(text) if text and text.isdigit() else None


def describe(error: psycopg.Error) -> str:
    """One line: "23514 check_violation: new row for relation …". DETAIL is left out: it quotes rows."""
    failure = failure_of(error)
    if failure.sqlstate is None:
        return failure.message
    code = f"{failure.sqlstate} {condition(failure.sqlstate)}".rstrip()
    return f"{code}: {failure.message}"


def condition(sqlstate: str) -> str:
    """The condition name of a SQLSTATE as the manual writes it ("check_violation"), or ""."""
    try:
        name = errors.lookup(sqlstate).__name__
    except KeyError:
        return ""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
