"""Runs a script statement by statement, so that an error has its line and a skipped IF NOT EXISTS is seen."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe, position
from dbtrust.engine.postgres.run import copy_in, execute_last
from dbtrust.engine.postgres.sql import load
from dbtrust.model.errors import FAILED, DbtrustError
from dbtrust.model.location import Location, locate

#: duplicate_table, _object, _schema, _column, _function: "already exists, skipping" comes as a NOTICE of these.
SKIPPED = frozenset({"42P07", "42710", "42P06", "42701", "42723"})


class ScriptFailed(DbtrustError):
    """The server refused a statement of a script; `sqlstate` is its code.

    `raised`: a program's half raised it by a statement of its own.
    """

    code = FAILED

    def __init__(
        self,
        message: str,
        location: Location,
        sqlstate: str | None = None,
        *,
        timeout: bool = False,
        raised: bool = False,
    ) -> None:
        super().__init__(message, location=location, next="mend the statement")
        self.sqlstate, self.timeout, self.raised = sqlstate, timeout, raised
        #: Where the server is to blame and not the script: model.report's word for why nothing is said about it.
        self.unproved = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One statement of a script: its text and the 0-based character where it stands in the source.

    `data` are the rows that follow a COPY … FROM STDIN.
    """

    text: str
    offset: int
    data: str | None = None


#: Called with a statement that the server skipped because the name existed, the script and its file.
OnSkip = Callable[[Piece, str, str], None]
#: Entered around each statement.
Around = Callable[[Piece], AbstractContextManager[None]]


def run_pieces(
    connection: psycopg.Connection[Any],
    pieces: Sequence[Piece],
    source: str,
    file: str,
    on_skip: OnSkip | None = None,
    around: Around | None = None,
) -> None:
    """Executes the statements in order. Raises ScriptFailed at the token that the server points at."""
    for piece in pieces:
        with around(piece) if around else nullcontext(), _notices(connection) as codes:
            run_piece(connection, piece, source, file)
        if on_skip is not None and codes & SKIPPED:
            on_skip(piece, source, file)


def run_piece(connection: psycopg.Connection[Any], piece: Piece, source: str, file: str) -> None:
    """Executes one statement. Raises ScriptFailed."""
    try:
        execute_piece(connection, piece)
    except psycopg.Error as error:
        at = position(error)
        place = locate(source, piece.offset + (at - 1 if at else 0), file)
        timeout = isinstance(error, psycopg.errors.QueryCanceled)
        raise ScriptFailed(describe(error), place, error.sqlstate, timeout=timeout) from error


def settle(connection: psycopg.Connection[Any], last: Piece, source: str, file: str) -> None:
    """Checks what is deferred until COMMIT, as COMMIT would, so that a transaction that never ends has the same errors.

    What a transaction begins with as deferred is deferred again: another script may follow in this one. Each is
    named: SET CONSTRAINTS ALL would count for those that are made later, too. Raises ScriptFailed at the `last` statement.
    """
    try:
        found = connection.execute(load("deferrable"), prepare=False).fetchall()
        _set_constraints(connection, [row[:2] for row in found], sql.SQL("IMMEDIATE"))
        _set_constraints(connection, [row[:2] for row in found if row[2]], sql.SQL("DEFERRED"))
    except psycopg.Error as error:
        if connection.closed:
            raise
        what = f"{describe(error)} (at the end of the transaction)"
        raise ScriptFailed(what, locate(source, last.offset, file), error.sqlstate) from error


def settle_rows(connection: psycopg.Connection[Any]) -> None:
    """Checks what rows that were written have left deferred, as the COMMIT behind them would; what they break stays deferred."""
    found = connection.execute(load("deferrable"), prepare=False).fetchall()
    if not found:
        return
    with suppress(psycopg.Error), connection.transaction():
        _set_constraints(connection, [row[:2] for row in found], sql.SQL("IMMEDIATE"))
        _set_constraints(connection, [row[:2] for row in found if row[2]], sql.SQL("DEFERRED"))


def _set_constraints(connection: psycopg.Connection[Any], names: Sequence[Any], to: sql.SQL) -> None:
    if names:
        listed = sql.SQL(", ").join(sql.Identifier(*name) for name in names)
        connection.execute(sql.SQL("SET CONSTRAINTS {} {}").format(listed, to), prepare=False)


def execute_piece(connection: psycopg.Connection[Any], piece: Piece) -> None:
    """Executes one statement with the rows that follow it. Raises psycopg.Error."""
    if piece.data is None:
        execute_last(connection, piece.text)
    else:
        copy_in(connection, piece.text, piece.data)


@contextmanager
def _notices(connection: psycopg.Connection[Any]) -> Generator[set[str]]:
    codes: set[str] = set()

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        codes.add(diagnostic.sqlstate or "")

    connection.add_notice_handler(keep)
    try:
        yield codes
    finally:
        connection.remove_notice_handler(keep)


def ask_boolean(connection: psycopg.Connection[Any], expression: str) -> Any:
    """The value of a SQL boolean of the project (a `-- verify:` line). Raises psycopg.Error."""
    rows = execute_last(connection, f"SELECT ({expression}\n)")
    return rows[0][0] if rows else None
