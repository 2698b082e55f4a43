"""A migration with transaction:false: step by step, each with its row of the ledger.

A statement that may run in a transaction runs in one, together with its row. One that may not has a row "running"
before it; after a crash its effect is looked for in the catalog.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg

from dbtrust.engine.postgres.errors import describe, lost
from dbtrust.engine.postgres.probe import Found, Prober
from dbtrust.judge.effects import outside_effect, refused_effect
from dbtrust.judge.script_parts import refuse_two_phase
from dbtrust.judge.statements import SqlSyntaxError, Statement, split
from dbtrust.migrate.postgres_transaction import syntax_error
from dbtrust.migrate.postgres_work import Work
from dbtrust.model.effects import Effect
from dbtrust.model.errors import DbtrustError
from dbtrust.model.ledger import MigrationStopped, StepEntry
from dbtrust.model.location import NOWHERE, Location, locate

#: The server refuses the statement in a transaction, before it does anything, or because it commits.
_NOT_INSIDE = frozenset({"25001", "2D000"})
#: What lives as long as the session, beside settings.
_SESSIONS = frozenset({"PrepareStmt", "ListenStmt", "LoadStmt"})
_SESSIONS_WORDS = re.compile(
    r"\A\s*CREATE\s+(OR\s+REPLACE\s+)?(LOCAL\s+|GLOBAL\s+)?TEMP|\bpg_temp\s*\.|\bINTO\s+TEMP|\bpg_(try_)?advisory_lock|"
    r"\A\s*DECLARE\b.*\bWITH\s+HOLD\b",
    re.IGNORECASE | re.DOTALL,
)
_BEGIN, _END = ("BEGIN", "START"), ("COMMIT", "END")


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, or what stands between a BEGIN and its COMMIT. `offset` is its 0-based character in the script."""

    number: int
    text: str
    offset: int
    data: str | None = None
    #: What of it is the session's and can be done again when a run goes on (SET).
    settings: str = ""
    #: What of it is the session's and cannot (CREATE TEMP TABLE, PREPARE).
    kept: str = ""

    @property
    def checksum(self) -> str:
        return sha256((self.text + (self.data or "")).encode("utf-8", "surrogatepass")).hexdigest()


def steps_of(work: Work) -> list[Step]:
    """The steps of the script. Raises MigrationStopped before anything has run."""
    try:
        return list(_steps(split(work.script.sql), work.script.sql))
    except SqlSyntaxError as error:
        raise syntax_error(work, error) from error


def _steps(statements: Sequence[Statement], sql: str) -> Iterator[Step]:
    number, opened = 0, None
    for place, statement in enumerate(statements):
        word = statement.text.split(None, 1)[0].upper().rstrip(";")
        control = statement.kind == "TransactionStmt"
        if control:
            refuse_two_phase(statement.text, statement.offset)
        if control and word in _BEGIN and opened is None:
            opened = place + 1
        elif control and word in _END and opened is not None:
            inside = statements[opened:place]
            opened = None
            if inside:
                number += 1
                yield _block(number, inside, sql)
        elif control and opened is None:
            raise SqlSyntaxError(f"{word} without a BEGIN before it", statement.offset)
        elif (control and word not in ("SAVEPOINT", "RELEASE", "ROLLBACK")) or (opened and statement.data):
            raise SqlSyntaxError(f"{word} between BEGIN and COMMIT", statement.offset)
        elif opened is None:
            number += 1
            own = statement.text if _is_setting(statement) else ""
            yield Step(number, statement.text, statement.offset, statement.data, own, _kept([statement]))
    if opened is not None:
        raise SqlSyntaxError("BEGIN without a COMMIT behind it", statements[opened - 1].offset)


def _block(number: int, inside: Sequence[Statement], sql: str) -> Step:
    end = inside[-1].offset + len(inside[-1].text)
    own: list[str] = []
    if any(_is_setting(statement) for statement in inside):
        # Savepoints too: a SET that was rolled back to one is none.
        again = [s.text for s in inside if _is_setting(s) or s.kind == "TransactionStmt"]
        own = ["BEGIN", *again, "COMMIT"]
    settings = "\n;".join(own)
    return Step(
        number, sql[inside[0].offset : end], inside[0].offset, settings=settings, kept=_kept(inside)
    )  # fmt: skip


def _is_setting(statement: Statement) -> bool:
    if statement.kind == "SelectStmt":
        return "set_config" in statement.text.lower()
    return statement.kind == "VariableSetStmt"


def _kept(statements: Sequence[Statement]) -> str:
    """The first line of the first statement that makes something of the session's which is not a setting."""
    found = (s.text for s in statements if s.kind in _SESSIONS or _SESSIONS_WORDS.search(s.text))
    return _first_line(next(found, ""))


class Steps:
    """Runs the steps of a script that the ledger does not have as done."""

    def __init__(self, work: Work, prober: Prober, known: Sequence[StepEntry]) -> None:
        self._work, self._prober = work, prober
        self._known: Mapping[int, StepEntry] = {step.step: step for step in known}
        self.done = sum(step.state == "done" for step in known)
        self._own_timeout = False
        self._opening = self._first = b""
        #: What a step of an earlier session made there, with its number.
        self._missing: tuple[int, str] | None = None

    def run(self, steps: Sequence[Step], first: bytes) -> None:
        """`first` is the ledger's statement that begins the migration; it commits with the first step.

        Raises MigrationStopped that says what is left, ServerError.
        """
        self._refuse_edited(steps)
        self._own_timeout = any("lock_timeout" in s.settings.lower() for s in steps)
        self._first = first
        for step in steps:
            known = self._known.get(step.number)
            self._work.watch.begin(
                f"{self._work.verb} {self._work.migration.number}, step {step.number} of {len(steps)}"
            )
            try:
                self._one(step, known)
            except psycopg.Error as error:
                self._roll_back()
                place = self._place_of(error, step)
                raise self._with_missing(
                    self._work.failed(error, place, self._left(len(steps))), step
                ) from error
            except MigrationStopped as error:
                self._roll_back()
                if error.location == NOWHERE:
                    error.location = self._place(step)
                raise
            except BaseException:
                self._roll_back()
                raise
            self.done += known is None or known.state != "done"

    def _one(self, step: Step, known: StepEntry | None) -> None:
        if known is not None and known.state == "done":
            if step.settings:
                self._work.simple.run(step.settings.encode())
            if step.kept and self._missing is None:
                self._missing = step.number, step.kept
        elif known is not None:
            self._resume(step, known)
        elif (effect := outside_effect(step.text) if not step.data else None) is not None:
            self._outside(step, effect)
        else:
            self._inside_or_outside(step)

    # Inside a transaction

    def _inside_or_outside(self, step: Step) -> None:
        try:
            self._work.attempts(lambda: self._inside(step), text=step.text)
        except psycopg.Error as error:
            if error.sqlstate not in _NOT_INSIDE or "\n;" in step.text:
                raise
            self._outside(step, refused_effect(step.text))

    def _inside(self, step: Step) -> float:
        work, started = self._work, time.monotonic()
        self._opening = b"BEGIN;" + (b"" if self._own_timeout else work.settings())
        work.simple.run(self._opening + step.text.encode() + b"\n;", step.data)
        duration = (time.monotonic() - started) * 1000
        work.commit(self._first, self._add(step, "done", duration))
        self._first = b""
        return duration

    # Outside

    def _outside(self, step: Step, effect: Effect) -> None:
        stored = self._prober.before(effect)
        known = StepEntry(
            step.number, step.text, "running", step.checksum, None, effect.kind == "unknown", stored
        )
        self._work.write(self._first, self._add(step, "running", None, effect.kind == "unknown", stored))
        self._first = b""
        self._attempt(step, effect, known)

    def _attempt(self, step: Step, effect: Effect, known: StepEntry) -> None:
        work = self._work
        work.watch.builds = effect.kind in ("index", "reindex")
        self._set_timeouts(effect)
        if effect.waits_for_snapshots:
            work.watch.tell_old_snapshots()
        self._opening = b""
        try:
            if effect.kind == "unknown":
                # What it has committed by then would be done twice.
                duration = self._alone(step)
            else:
                duration = work.attempts(
                    lambda: self._alone(step),
                    lambda: self._prober.clean(effect, known.stored),
                    text=step.text,
                )
        except psycopg.Error as error:
            if work.simple.lost or lost(error):
                raise
            if effect.kind == "unknown" and not work.script.rerunnable:
                raise self._in_doubt(
                    step, f"{describe(error)}; ", "failed", self._place_of(error, step)
                ) from error
            if not self._prober.half_done(effect):
                self._forget(step)
            raise
        try:
            self._prober.after(effect, known.stored)
        except MigrationStopped:
            # The server skipped the statement.
            self._forget(step)
            raise
        self._set_done(step, duration)

    def _forget(self, step: Step) -> None:
        """Nothing of it is left, so it is as if it had not begun, and another text may stand in its place."""
        self._work.write(self._work.ledger.remove(self._work.number, step.number))

    def _alone(self, step: Step) -> float:
        started = time.monotonic()
        self._work.simple.run(step.text.encode())
        return (time.monotonic() - started) * 1000

    def _set_timeouts(self, effect: Effect) -> None:
        """CONCURRENTLY blocks nobody while it waits, and lock_timeout would end its wait for old snapshots."""
        work = self._work
        if effect.waits_for_snapshots and "lock_timeout" not in work.script.options:
            work.simple.run(b"SET lock_timeout = 0")
        elif not self._own_timeout:
            work.simple.run(work.settings("SET"))
        if effect.waits_for_snapshots and "statement_timeout" in work.script.options:
            work.simple.run(
                b"SET statement_timeout = " + work.simple.literal(work.script.options["statement_timeout"])
            )

    # After a crash

    def _resume(self, step: Step, known: StepEntry) -> None:
        effect = outside_effect(step.text) or refused_effect(step.text)
        found = self._found(effect, known)
        if found == "unknown" and not self._work.script.rerunnable:
            raise self._in_doubt(step, "", "was interrupted", self._place(step))
        if found == "done":
            self._work.watch.progress(f"{self._work.watch.what}: it was finished, and is taken over")
            self._set_done(step, None)
        else:
            self._work.watch.progress(f"{self._work.watch.what}: again")
            self._attempt(step, effect, known)

    def _found(self, effect: Effect, known: StepEntry) -> Found:
        try:
            return self._prober.found(effect, known.stored)
        except MigrationStopped as error:
            error.next += (
                f"; before another text: dbtrust migrate repair --mark pending {self._work.migration.number}"
            )
            raise

    def _in_doubt(self, step: Step, said: str, ended: str, place: Location) -> MigrationStopped:
        return MigrationStopped(
            f"{said}step {step.number} commits by itself and {ended}: how far it came cannot be told",
            location=place,
            next=f"look at the data, then dbtrust migrate repair --mark done|pending {self._work.migration.number}",
        )

    def _refuse_edited(self, steps: Sequence[Step]) -> None:
        by_number = {step.number: step for step in steps}
        for known in self._known.values():
            step = by_number.get(known.step)
            if step is None or step.checksum != known.checksum:
                raise MigrationStopped(
                    f"step {known.step} has begun with another text: {_first_line(known.text)}",
                    location=self._work.script.location if step is None else self._place(step),
                    next="put that statement back; the ones behind it may be edited",
                )  # fmt: skip

    # The ledger

    def _add(
        self,
        step: Step,
        state: str,
        duration: float | None,
        unknown: bool = False,
        stored: Mapping[str, Any] | None = None,
    ) -> bytes:
        import json

        return self._work.ledger.add(
            self._work.number, step.number, state, source=step.text, checksum=step.checksum, duration_ms=duration,
            at_least_once=unknown, stored=json.dumps(stored or {}),
        )  # fmt: skip

    def _set_done(self, step: Step, duration: float | None) -> None:
        work = self._work
        work.write(
            work.ledger.set_state(work.number, step.number, "done", duration, step.checksum, step.text)
        )

    def _with_missing(self, error: DbtrustError, step: Step) -> DbtrustError:
        """What an earlier run had in its session cannot be made again: that may be why the step failed."""
        if self._missing is not None:
            number, kept = self._missing
            error.message += (
                f"; the session of an earlier run ended, and with it what step {number} made there: {kept}"
            )
            error.next = (
                f"if step {step.number} needs it, make it again in that step, between BEGIN and COMMIT"
            )
        return error

    def _left(self, total: int) -> str:
        if not self.done:
            return "none of its steps is done"
        return f"{self.done} of its {total} steps are done and stay; up goes on behind them"

    def _place_of(self, error: psycopg.Error, step: Step) -> Location:
        return self._work.place(error, step.offset, len(self._opening))

    def _place(self, step: Step) -> Location:
        return locate(self._work.script.sql, step.offset, self._work.script.file)

    def _roll_back(self) -> None:
        try:
            self._work.simple.roll_back()
        except psycopg.Error:
            return


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:80]}…"
