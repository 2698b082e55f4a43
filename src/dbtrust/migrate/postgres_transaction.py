"""A migration that is one transaction: its statements, its verify lines and its row of the ledger commit together."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from dbtrust.judge.script_parts import Part, Parts, script_parts
from dbtrust.judge.statements import SqlSyntaxError, split
from dbtrust.migrate.postgres_work import Work
from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.location import Location, locate

_SYNTAX = "42601"
BACK = "nothing of it is left in the database"


def run_transaction(work: Work, finish: Callable[[float], bytes], behind: bytes) -> float:
    """Runs the script; `finish` gives the ledger's statements for a duration in ms, `behind` follows the COMMIT.

    The milliseconds that it took. Raises MigrationStopped with nothing left in the database, ServerError.
    """
    parts = _parts(work)
    run = _Run(work, parts, finish, behind)
    try:
        work.watch.begin(f"{work.verb} {work.migration.number}")
        return work.attempts(run.once, text=work.script.sql)
    except psycopg.Error as error:
        run.roll_back()
        if error.sqlstate == _SYNTAX:
            _refuse_what_is_no_sql(work)
        raise work.failed(error, run.place(error), BACK) from error
    except BaseException:
        run.roll_back()
        raise


def _parts(work: Work) -> Parts:
    try:
        return script_parts(work.script.sql)
    except SqlSyntaxError as error:
        raise syntax_error(work, error) from error


def _refuse_what_is_no_sql(work: Work) -> None:
    """The grammar's own words name psql's commands; a server that knows more or less of SQL is right all the same."""
    try:
        split(work.script.sql)
    except SqlSyntaxError as error:
        raise syntax_error(work, error) from None


def syntax_error(work: Work, error: SqlSyntaxError) -> MigrationStopped:
    """What the grammar refuses, before anything has run."""
    place = locate(work.script.sql, error.offset, work.script.file)
    step = (
        "begin the file with -- migrate:up transaction:false" if " inside a " in error.message else error.next
    )
    return MigrationStopped(f"{error.message}; nothing was run", location=place, next=step)


class _Run:
    """Attempts of one script. `part` and `prefix` tell where an error's position counts from."""

    def __init__(self, work: Work, parts: Parts, finish: Callable[[float], bytes], behind: bytes) -> None:
        self._work, self._parts, self._finish, self._behind = work, parts, finish, behind
        self._part: Part | None = None
        self._opening = b"BEGIN;" + work.settings()
        if parts.modes:
            self._opening += f"SET TRANSACTION {parts.modes};".encode()

    def once(self) -> float:
        work, started = self._work, time.monotonic()
        work.watch.begin(f"{work.verb} {work.migration.number}")
        opening = self._opening
        for part in self._parts.parts or (Part(0, 0),):
            self._part = part
            self._send(opening, part)
            opening = b""
        self._part = None
        if not work.simple.in_transaction:
            raise MigrationStopped(
                "the script ended its own transaction, so it is applied and not in the ledger",
                location=work.script.location, next="look at the database, then dbtrust migrate repair",
            )  # fmt: skip
        if (wrong := work.verify(work.script.verify)) is not None:
            raise MigrationStopped(
                f"{wrong.message}; rolled back",
                location=wrong.location,
                next="mend the migration or the line",
            )
        duration = (time.monotonic() - started) * 1000
        work.commit(self._finish(duration), behind=self._behind)
        return duration

    def _send(self, opening: bytes, part: Part) -> None:
        sql = self._work.script.sql
        data = sql[slice(*part.data)] if part.data is not None else None
        # A comment at the end must not swallow what follows.
        text = opening + sql[part.start : part.end].encode() + b"\n;"
        self._work.simple.run(text, data)

    def roll_back(self) -> None:
        """Nothing where the server is lost: then it has rolled back by itself."""
        try:
            self._work.simple.roll_back()
        except psycopg.Error:
            return

    def place(self, error: psycopg.Error) -> Location:
        work, part = self._work, self._part
        if part is None:
            return work.script.location
        prefix = len(self._opening) if part is self._parts.parts[0] else 0
        if error.diag.statement_position is None:
            return self._statement(part, work.simple.completed - (self._opening.count(b";") if prefix else 0))
        return work.place(error, part.start, prefix)

    def _statement(self, part: Part, number: int) -> Location:
        """The place of a part's statement, counted from 0: the server tells no position for what fails while running."""
        sql = self._work.script.sql
        try:
            statements = split(sql[part.start : part.end])
        except SqlSyntaxError:
            statements = []
        offset = statements[number].offset if 0 <= number < len(statements) else 0
        return locate(sql, part.start + offset, self._work.script.file)
