"""A script's text through the grammar and onto a server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import psycopg

from dbtrust.engine.postgres.scripts import Around, OnSkip, Piece, ScriptFailed, run_pieces, settle
from dbtrust.judge.statements import SqlSyntaxError, split
from dbtrust.model.location import locate

_BEGIN, _END = ("BEGIN", "START TRANSACTION"), ("COMMIT", "END")


def pieces_of(sql: str, file: str) -> list[Piece]:
    """The statements of a script without an outermost BEGIN and COMMIT, which are the runner's own.

    Raises ScriptFailed with file:line:column for text that is no SQL.
    """
    try:
        statements = split(sql)
    except SqlSyntaxError as error:
        raise ScriptFailed(error.message, locate(sql, error.offset, file), "42601") from error
    if len(statements) >= 2 and _is(statements[0].text, _BEGIN) and _is(statements[-1].text, _END):
        statements = statements[1:-1]
    return [Piece(s.text, s.offset, s.data) for s in statements]


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
    pieces = pieces_of(sql, file)
    with connection.transaction() if transaction else nullcontext():
        run_pieces(connection, pieces, sql, file, on_skip, around)
        if transaction and pieces:
            settle(connection, pieces[-1], sql, file)
