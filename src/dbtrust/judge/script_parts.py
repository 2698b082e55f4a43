"""A script that runs in one transaction of the runner's: what is sent, in parts of a size that a server likes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dbtrust.judge.statements import SqlSyntaxError, leading_blank, parse_tree, script_segments

#: Characters that are sent at once; a single statement may be longer.
_CHUNK = 1_000_000
#: Words without which no statement can end the transaction or carry rows: then nothing needs to be parsed.
_LOOK = re.compile(r"\b(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|PREPARE|STDIN)\b", re.IGNORECASE)
_TRANSACTION = re.compile(r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|PREPARE)\b", re.IGNORECASE)
_OPENING = re.compile(r"(?:BEGIN(?:\s+(?:WORK|TRANSACTION)\b)?|START\s+TRANSACTION\b)\s*", re.IGNORECASE)
#: TransactionStmtKind of libpg_query's protobuf.
_BEGINS, _COMMIT = (1, 2), 3
_SAVEPOINTS = (5, 6, 7)
#: PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
_TWO_PHASE = re.compile(r"PREPARE\b|(?:COMMIT|ROLLBACK)\s+PREPARED\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Whole statements from `start` to `end` of the script; `data` is where the rows of the last one (a COPY) stand."""

    start: int
    end: int
    data: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """`modes` are the transaction modes of an outermost BEGIN, such as "ISOLATION LEVEL SERIALIZABLE"."""

    parts: tuple[Part, ...]
    modes: str = ""


@dataclass(frozen=True, slots=True)
class _One:
    start: int
    end: int
    #: TransactionStmtKind, 0 for other statements.
    transaction: int
    data: tuple[int, int] | None = None


def script_parts(sql: str) -> Parts:
    """The script without an outermost BEGIN and COMMIT. Text that nothing needs to be known of is not parsed.

    Raises SqlSyntaxError for text that is no SQL (where it was parsed), and for a COMMIT or ROLLBACK in the middle.
    """
    if len(sql) <= _CHUNK and _LOOK.search(sql) is None:
        return Parts((Part(0, len(sql)),))
    statements = list(_statements(sql))
    modes = ""
    if len(statements) > 1 and statements[0].transaction in _BEGINS and statements[-1].transaction == _COMMIT:
        first, *statements, _ = statements
        modes = _OPENING.sub("", sql[first.start : first.end], count=1).strip()
    for one in statements:
        if one.transaction and one.transaction not in _SAVEPOINTS:
            refuse_two_phase(sql[one.start : one.end], one.start)
            word = sql[one.start : one.end].split()[0].upper()
            raise SqlSyntaxError(f"{word} inside a migration that is one transaction", one.start)
    return Parts(tuple(_chunks(statements)), modes)


def refuse_two_phase(text: str, offset: int) -> None:
    """Raises SqlSyntaxError for a statement (a TransactionStmt) of two-phase commit: no ledger can tell of its end."""
    if _TWO_PHASE.match(text):
        words = " ".join(text.split()[:2]).upper()
        error = SqlSyntaxError(
            f"{words} cannot be done in a migration, with or without a transaction", offset
        )
        error.next = "leave it out: what a migration does is committed with its row of the ledger"
        raise error


def _chunks(statements: list[_One]) -> Iterator[Part]:
    start: int | None = None
    for place, one in enumerate(statements):
        start = one.start if start is None else start
        last = place + 1 == len(statements)
        if last or one.data is not None or statements[place + 1].end - start > _CHUNK:
            yield Part(start, one.end, one.data)
            start = None


def _statements(sql: str) -> Iterator[_One]:
    for segment in script_segments(sql):
        found = list(_ranges(sql, segment.start, segment.end))
        for place, (start, end) in enumerate(found):
            data = segment.data if place + 1 == len(found) else None
            yield _One(start, end, _transaction_kind(sql, start, end), data)


def _ranges(sql: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each statement stands. The splitter of the grammar makes no tree in Python, so that 50 MB stay cheap."""
    import postgast

    text = sql[start:end]
    try:
        texts = postgast.split(text)
    except postgast.PgQueryError:
        parse_tree(text) if start == 0 else _parse_at(text, start)
        raise
    position = start
    for one in texts:
        position = _next(sql, position, one)
        yield position, position + len(one)
        position += len(one)


def _next(sql: str, position: int, text: str) -> int:
    while not sql.startswith(text, position):
        following = leading_blank(sql, position)
        if following == position:
            following += 1
        position = following
    return position


def _parse_at(text: str, start: int) -> None:
    try:
        parse_tree(text)
    except SqlSyntaxError as error:
        raise SqlSyntaxError(error.message, error.offset + start) from None


def _transaction_kind(sql: str, start: int, end: int) -> int:
    start = leading_blank(sql, start)
    if end - start > 1000 or _TRANSACTION.match(sql, start) is None:
        return 0
    statement = parse_tree(sql[start:end]).stmts[0].stmt
    if statement.WhichOneof("node") != "transaction_stmt":
        return 0
    return int(statement.transaction_stmt.kind)
