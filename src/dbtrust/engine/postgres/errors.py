"""What the server said when it refused, in one line and in parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

import psycopg


@dataclass(frozen=True, slots=True)
class Failure:
    """An error of PostgreSQL. `position` is the 1-based character in the statement; names are None where not given."""

    sqlstate: str
    message: str
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    constraint: str | None = None
    datatype: str | None = None
    position: int | None = None


def failure_of(error: psycopg.Error) -> Failure:
    """The parts of an error (libpq's PQresultErrorField)."""
    diag = error.diag
    return Failure(
        diag.sqlstate or "", describe(error), diag.schema_name, diag.table_name, diag.column_name,
        diag.constraint_name, diag.datatype_name, position(error),
    )  # fmt: skip


def describe(error: psycopg.Error) -> str:
    """One line: SQLSTATE, the message, and the detail that tells which row or key. No password is in it."""
    diag = error.diag
    if diag.message_primary is None:
        return redact(" ".join(str(error).split()))
    parts = [diag.message_primary] + ([diag.message_detail] if diag.message_detail else [])
    return redact(f"{diag.sqlstate} {' '.join(' '.join(parts).split())}")


def position(error: psycopg.Error) -> int | None:
    """The 1-based character of the statement that the server points at, or None."""
    text = error.diag.statement_position
    return int(text) if text else None


def redact(text: str) -> str:
    """The text without passwords of URLs and of key=value connection strings."""
    text = re.sub(r"(\w+://[^:/@\s]*:)[^@\s]+@", r"\1***@", text)
    return re.sub(r"(password\s*=\s*)('[^']*'|\S+)", r"\1***", text)
