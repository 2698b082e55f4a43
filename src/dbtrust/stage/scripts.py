"""A script's text through the grammar and onto a server."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.scripts import Around, OnSkip, Piece, ScriptFailed, run_pieces, settle
from dbtrust.judge.statements import SqlSyntaxError, Statement, split
from dbtrust.model.location import locate

_BEGIN, _END = ("BEGIN", "START TRANSACTION"), ("COMMIT", "END")
_SAVEPOINT = re.compile(r"(?i)SAVEPOINT\b|RELEASE\b|ROLLBACK\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b")


def pieces_of(sql: str, file: str, *, transaction: bool = True, control: bool = True) -> list[Piece]:
    """The statements of a script; in a `transaction` without an outermost BEGIN and COMMIT, which are the runner's own.

    Without one, those that begin and end transactions are left out unless `control`. Raises ScriptFailed with file:line:column for text that is no SQL, and for what would end that transaction.
    """
    try:
        statements = split(sql)
    except SqlSyntaxError as error:
        raise ScriptFailed(error.message, locate(sql, error.offset, file), "42601") from error
    if not transaction:
        return [_piece(s) for s in statements if control or s.kind != "TransactionStmt"]
    if len(statements) >= 2 and _is(statements[0].text, _BEGIN) and _is(statements[-1].text, _END):
        statements = statements[1:-1]
    for statement in statements:
        _refuse_control(statement, sql, file)
    return [_piece(s) for s in statements]


def _piece(statement: Statement) -> Piece:
    return Piece(statement.text, statement.offset, statement.data)


def _refuse_control(statement: Statement, sql: str, file: str) -> None:
    """`migrate up` refuses these, too: the row of its ledger commits together with the script."""
    if statement.kind != "TransactionStmt" or _SAVEPOINT.match(statement.text):
        return
    word = statement.text.split()[0].upper()
    place = locate(sql, statement.offset, file)
    error = ScriptFailed(f"{word} inside a migration that is one transaction", place, "2D000")
    error.next = "leave it out, or begin the half with -- migrate:up transaction:false (or migrate:down)"
    raise error


def _is(text: str, words: Sequence[str]) -> bool:
    return " ".join(text.upper().split()).startswith(tuple(words)) and len(text) < 80


def run_text(
    connection: psycopg.Connection[Any],
    sql: str,
    file: str,
    *,
    transaction: bool = True,
    on_skip: OnSkip | None = None,
    around: Around | None = None,
) -> None:
    """Runs a script, in one transaction or statement by statement.

    Raises ScriptFailed; with `transaction` nothing of the script is then left.
    """
    pieces = pieces_of(sql, file, transaction=transaction)
    with connection.transaction() if transaction else _closed(connection):
        run_pieces(connection, pieces, sql, file, on_skip, around)
        if not transaction and connection.info.transaction_status != TransactionStatus.IDLE:
            place = locate(sql, pieces[-1].offset, file)
            raise ScriptFailed(
                "the script ends in a transaction that it has begun: BEGIN without a COMMIT", place, "25001"
            )
        if transaction and pieces:
            settle(connection, pieces[-1], sql, file)


@contextmanager
def _closed(connection: psycopg.Connection[Any]) -> Generator[None]:
    """No transaction of the script's own stays open."""
    try:
        yield
    finally:
        if not connection.closed and connection.info.transaction_status != TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
