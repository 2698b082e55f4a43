"""One half of a PostgreSQL migration on its way: attempts, locks, errors with a place."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import psycopg

from dbtrust.engine.postgres.errors import describe, lost, position
from dbtrust.engine.postgres.exclusive import Exclusive, superseded
from dbtrust.engine.postgres.ledger import Ledger
from dbtrust.engine.postgres.simple import Result, Simple
from dbtrust.engine.postgres.watch import Watch
from dbtrust.judge.lock_words import queues_behind
from dbtrust.model.errors import DbtrustError, ServerError
from dbtrust.model.ledger import GONE, GONE_NEXT, LEDGER, MigrationStopped
from dbtrust.model.location import Location, locate
from dbtrust.model.project import ClaimLine, Migration, Script

#: How long a statement waits for a lock where the file does not say: everybody else queues behind it meanwhile.
LOCK_TIMEOUT = "3s"
#: How often a statement is tried again that did not get its lock, where the file does not say.
RETRIES = 4
#: Seconds that the first pause between two attempts lasts at most; each later one doubles, up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 30.0
#: lock_not_available, deadlock_detected, serialization_failure: the same statement may succeed a moment later.
_RETRIED = frozenset({"55P03", "40P01", "40001"})
#: division_by_zero (ledger_fence.sql), unique_violation.
_FENCED, _TWICE = "22012", "23505"


@dataclass(frozen=True, slots=True)
class Work:
    """What runs (`script`, a half of `migration`) and what it runs with."""

    migration: Migration
    script: Script
    simple: Simple
    ledger: Ledger
    lock: Exclusive
    watch: Watch
    #: "up" or "down", as a message says it.
    verb: str = "up"

    @property
    def number(self) -> int:
        return int(self.migration.number)

    def settings(self, scope: str = "SET LOCAL") -> bytes:
        """The timeouts of the file; lock_timeout has a value of ours where it names none."""
        options = {"lock_timeout": LOCK_TIMEOUT} | dict(self.script.options)
        names = [name for name in ("lock_timeout", "statement_timeout") if name in options]
        return b"".join(
            f"{scope} {name} = ".encode() + self.simple.literal(options[name]) + b";" for name in names
        )

    def write(self, *statements: bytes) -> list[Result]:
        """Commits ledger statements on their own. Raises MigrationStopped where the lock is lost, psycopg.Error."""
        return self.commit(*statements, before=b"BEGIN;")

    def amend(self, *statements: bytes) -> None:
        """`write`; the last one changes a row that is there. Raises MigrationStopped, too, where it is gone."""
        if self.write(*statements)[-2].command_tuples == 0:
            raise MigrationStopped(GONE, next=GONE_NEXT)

    def commit(self, *statements: bytes, before: bytes = b"", behind: bytes = b"") -> list[Result]:
        """Ledger statements and COMMIT in one message, once the lock is known to be ours; the results of all."""
        self.lock.check()
        try:
            return self.simple.run(before + self.ledger.fenced() + b"".join(statements) + b"COMMIT;" + behind)
        except psycopg.Error as error:
            # A deferred trigger of the user's may raise the same code at COMMIT.
            at_fence = self.simple.completed == self.ledger.fence_position + bool(before)
            if error.sqlstate == _FENCED and at_fence:
                raise superseded() from error
            if isinstance(error, psycopg.errors.InsufficientPrivilege) and LEDGER in str(error):
                raise self.ledger.refused(error) from error
            if error.sqlstate == _TWICE and error.diag.table_name == LEDGER:
                raise MigrationStopped(
                    f"migration {self.migration.number} is in the ledger already",
                    next="run the command again",
                ) from error
            raise

    def attempts(
        self, once: Callable[[], float], clean: Callable[[], None] | None = None, *, text: str = ""
    ) -> float:
        """Runs `once`, which sends `text`, until it is through, its locks willing; `clean` undoes what an attempt left.

        Before it tries, and before it tries again, it waits until the old transactions in its way have ended, so that
        nobody queues behind it. Raises psycopg.Error of the last attempt.
        """
        left, pause = self._retries(), _FIRST_PAUSE
        if text:
            self.watch.wait_before_first(partial(queues_behind, text), _LONGEST_PAUSE)
        while True:
            try:
                return once()
            except psycopg.Error as error:
                self.simple.roll_back()
                if clean is not None and not self.simple.lost:
                    clean()
                if error.sqlstate not in _RETRIED or left <= 0:
                    raise
                self.watch.progress(f"{self.watch.what}: {describe(error)}; {left} more attempts")
                if not self._way_is_free(pause):
                    raise
            left, pause = left - 1, min(pause * 2, _LONGEST_PAUSE)

    def _way_is_free(self, pause: float) -> bool:
        """Waits for the blockers; a short random pause where none is known. False while they are still there."""
        if self.watch.blockers:
            return self.watch.wait_until_free(_LONGEST_PAUSE)
        time.sleep(random.uniform(0.05, 0.1) * pause)
        return True

    def _retries(self) -> int:
        return int(self.script.options.get("retry", RETRIES))

    def verify(self, lines: Iterable[ClaimLine]) -> MigrationStopped | None:
        """The first line that is not true, as an error; None where all are."""
        for line in lines:
            self.watch.begin(f"verify {line.text}")
            try:
                rows = self.simple.run(f"SELECT ({line.text}\n)".encode())
            except psycopg.Error as error:
                if self.simple.lost or lost(error):
                    raise
                return _unverified(line, describe(error))
            result = rows[0] if len(rows) == 1 else None
            value = result.get_value(0, 0) if result is not None and result.ntuples else None
            if result is None or result.ntuples != 1 or result.ftype(0) != _BOOLEAN or value != b"t":
                said = "null" if value is None else value.decode()
                return _unverified(line, f"it is {_WORDS.get(said, said)}")
        return None

    def failed(self, error: psycopg.Error, location: Location, left: str) -> DbtrustError:
        """The error as a person reads it; `left` says what is in the database."""
        if self.simple.lost or lost(error):
            self.lock_lost_too()
            return ServerError(
                f"the server was lost in migration {self.migration.number}: {describe(error)}",
                location=location, next="when it is back, run the same command again: it goes on where the ledger stands",
            )  # fmt: skip
        said = describe(error)
        if error.sqlstate in _RETRIED and self.watch.blockers:
            blocked = self.watch.blockers[0]
            said += f"; {blocked.relation} is held by {'; '.join(map(str, self.watch.blockers[:3]))}"
        return MigrationStopped(f"{said}; {left}", location=location, next=_next(error))

    def lock_lost_too(self) -> None:
        """Raises MigrationStopped where the server ended our session because another runner took over."""
        self.lock.check()

    def place(self, error: psycopg.Error, offset: int, prefix: int) -> Location:
        """Where the server points; `offset` is where the sent text stands in the script, behind `prefix` bytes of ours."""
        at = position(error)
        inside = at - 1 - prefix if at is not None else 0
        return locate(self.script.sql, offset + max(0, inside), self.script.file)


_BOOLEAN = 16
_WORDS = {"f": "false", "t": "true"}


def _unverified(line: ClaimLine, said: str) -> MigrationStopped:
    return MigrationStopped(f"verify {line.text}: {said}", location=line.location)


def _next(error: psycopg.Error) -> str:
    state = error.sqlstate or ""
    if state == "25001":
        return "it cannot run in a transaction: begin the file with -- migrate:up transaction:false"
    if state == "2D000":
        return "it commits by itself: begin the file with -- migrate:up transaction:false"
    if state == "55P04":
        return "a new label can be used once it is committed: put its use into a later migration"
    if state in _RETRIED:
        return "end that transaction, or run up again when it is over"
    if state == "42501":
        return "run it as a role that may, or grant the right"
    if state == "57014":
        return "raise statement_timeout on the first line (-- migrate:up statement_timeout:10min)"
    return "mend the statement"
