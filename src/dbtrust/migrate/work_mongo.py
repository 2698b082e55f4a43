"""One MongoDB migration on its way up or down: a row of the ledger before and after each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.errors import failure_of
from dbtrust.engine.mongo.ledger import (
    LeaseLost,
    Ledger,
    LedgerGone,
    migration_document,
    step_document,
    step_key,
)
from dbtrust.engine.mongo.patience import of_the_moment, patiently
from dbtrust.engine.mongo.resume import Catalogue
from dbtrust.engine.mongo.steps import inverse_of, known, probed
from dbtrust.migrate.runner import MigrationStopped
from dbtrust.model.errors import DbtrustError
from dbtrust.model.ledger import Entry, StepEntry
from dbtrust.model.progress import Progress
from dbtrust.model.project import Migration
from dbtrust.model.project_code import ProjectCodeError, called
from dbtrust.model.steps import (
    CreateCollection,
    CreateIndex,
    CustomStep,
    RenameCollection,
    Step,
    UpdateInBatches,
)
from dbtrust.source.migrations import PythonMigration

if TYPE_CHECKING:
    from dbtrust.engine.mongo.exact import Batches

#: After these the index may be there: the wait for it ended, not the build. Time limit, lock wait, killed, aborted.
_UNKNOWN = frozenset({50, 24, 276, 11601})


class Tools(NamedTuple):
    """What a run works with. `theirs()` is the database as the migration's own functions get it; `trapped()` says what
    was ended because it waited for the migration's own transaction."""

    ledger: Ledger
    catalogue: Catalogue
    batches: Callable[[str, Progress], Batches]
    theirs: Callable[[], Any]
    trapped: Callable[[], str]


def steps_of(loaded: PythonMigration) -> list[Step]:
    """The steps of a migration; up(db) is one step of its own. Raises QueryFileError for what is no step."""
    if loaded.steps is None:
        assert loaded.up is not None
        return [CustomStep("up(db)", loaded.up, loaded.down)]
    for step in loaded.steps:
        known(step)
    return list(loaded.steps)


class Work:
    """The steps of one migration; `rows` are those that the ledger has already."""

    def __init__(
        self, tools: Tools, migration: Migration, entry: Entry, loaded: PythonMigration, rows: Sequence[StepEntry], progress: Progress
    ) -> None:  # fmt: skip
        self._tools, self._ledger, self._progress = tools, tools.ledger, progress
        self._migration, self._entry, self._loaded = migration, entry, loaded
        self._key = str(int(migration.number))
        self._steps = steps_of(loaded)
        self._rows = {row.step: row for row in rows}
        self._batches: Batches | None = None

    # --- up

    def up(self, *, fresh: bool) -> Entry:
        """Applies what is not done, then asks `verify`. Raises MigrationStopped, ServerError, LeaseLost."""
        start = time.monotonic()
        self._unchanged()
        unsaid: list[Any] = [migration_document(self._entry)] if fresh else []
        self._of_today()
        for number, step in enumerate(self._steps, 1):
            self._step(number, step, unsaid)
        if unsaid:
            self._ledger.later(*unsaid)
        self._verify()
        taken = (time.monotonic() - start) * 1000
        done = replace(
            self._entry, state="done", duration_ms=round(taken, 3), steps=tuple(self._rows.values())
        )  # fmt: skip
        self._ledger.amend(self._key, state="done", duration_ms=done.duration_ms)
        if self._loaded.verify:  # the project's code ran behind the last write: is the ledger still there?
            self._settle()
        return done

    def _of_today(self) -> None:
        """What was mended while it was half applied is what the steps behind are of; said before any of them begins."""
        text = {"checksum": self._migration.checksum, "source": kept(self._migration)}
        if self._entry.checksum != self._migration.checksum:
            self._ledger.amend(self._key, **text)
            self._entry = replace(self._entry, **text)

    def _step(self, number: int, step: Step, unsaid: list[Any]) -> None:
        row = self._rows.get(number)
        if row is not None and row.state == "done":
            return
        again = row is not None and row.state == "running"
        self._progress(f"{self._migration.location.file}: {step.describe()}")
        if row is None or not again:
            row = self._tried(step, step.describe(), lambda: self._begin(number, step))
            self._ledger.later(*unsaid)
            unsaid.clear()
            self._rows[number] = row
            self._save(row)
        if again and row.at_least_once:
            raise self._repair(step, "was running when a run ended: how much of it is in force is not known")
        start = time.monotonic()
        row = self._forward(step, row, again)
        row = replace(row, state="done", duration_ms=round((time.monotonic() - start) * 1000, 3))
        self._rows[number] = row
        if row.stored.get("applied", True):
            self._ledger.amend(
                self._row_key(row), state="done", duration_ms=row.duration_ms, stored=row.stored
            )
        else:
            self._ledger.later(step_document(self._key, row))
        if isinstance(step, CustomStep):
            self._ledger.amend(
                self._key
            )  # its own code may have removed the migration's row: that shows here
            self._settle()

    def _begin(self, number: int, step: Step) -> StepEntry:
        """The row as it stands before anything changes, with what the undo needs."""
        stored: dict[str, Any] = {"applied": True}
        if isinstance(step, CustomStep):
            self._tools.theirs()  # a server that is gone by now is told before anything is said to be running
            if step.probe is not None and self._probed(step):
                stored = {"applied": False, "found": True}
        elif isinstance(step, UpdateInBatches):
            patiently(lambda again: self._tools.catalogue.require(step.collection), self._progress)
        else:
            stored = patiently(lambda again: self._tools.catalogue.prepare(step), self._progress)
        return StepEntry(
            number, step.describe(), "running", fingerprint(step), None, self._at_least_once(step), stored
        )

    def _row_key(self, row: StepEntry) -> str:
        return step_key(self._key, row.step)

    def _save(self, row: StepEntry) -> None:
        if row.stored.get("applied", True):
            patiently(lambda again: self._ledger.write(step_document(self._key, row)), self._progress)

    def _settle(self) -> None:
        patiently(lambda again: self._ledger.flush(), self._progress)

    def _forward(self, step: Step, row: StepEntry, again: bool) -> StepEntry:
        if not row.stored.get("applied", True):
            return row
        try:
            return self._tried(step, step.describe(), lambda: self._run(step, row, again))
        except MigrationStopped as error:
            self._failed(step, error)
            raise

    def _run(self, step: Step, row: StepEntry, again: bool) -> StepEntry:
        if isinstance(step, CustomStep):
            return self._custom(step, row, again)
        if isinstance(step, UpdateInBatches):
            return patiently(
                lambda again: self._updates().forward(step, self._current(row) if again else row), self._progress,
                again=again,
            )  # fmt: skip
        stored = dict(row.stored)
        patiently(
            lambda again: self._tools.catalogue.forward(step, stored, again=again),
            self._progress,
            again=again,
        )
        return row if stored == row.stored else replace(row, stored=stored)

    def _custom(self, step: CustomStep, row: StepEntry, again: bool) -> StepEntry:
        found = again and step.probe is not None and self._probed(step)
        if not found:
            self._ledger.fence()
            called(step.apply, self._tools.theirs())
        self._tools.catalogue.view.forget()
        return replace(row, stored={**row.stored, "found": True}) if found else row

    def _probed(self, step: CustomStep) -> bool:
        return probed(step, self._tools.theirs())

    def _failed(self, step: Step, error: MigrationStopped) -> None:
        """A step that certainly changed nothing may be mended in the file: its row is pending again."""
        number = next(n for n, row in self._rows.items() if row.state == "running")
        row = self._current(self._rows[number])
        cause = error.__cause__
        unknown = isinstance(cause, PyMongoError) and failure_of(cause).code in _UNKNOWN
        if isinstance(step, UpdateInBatches):
            unknown = "cursor" in row.stored or not self._updates().atomic
        if row.at_least_once or isinstance(step, CustomStep) or unknown:
            return
        self._ledger.write(step_document(self._key, replace(row, state="pending", stored={})))

    # --- down

    def down(self) -> None:
        """Undoes the steps, the last first, and takes the migration out of the ledger. Raises as `up` does."""
        self._undoable()
        for number, step in reversed(list(enumerate(self._steps, 1))):
            row = self._rows.get(number)
            if row is None and (not self._rows or self._entry.origin == "marked"):
                row = self._blind(number, step)
            if row is not None and row.state != "pending":
                self._back(step, row)
        self._reverting()
        self._ledger.remove(self._key)

    def _reverting(self) -> None:
        """Said with the first thing that is undone: a down that is refused before leaves the migration as it was."""
        if self._entry.state != "reverting":
            self._ledger.amend(self._key, state="reverting")
            self._entry = replace(self._entry, state="reverting")

    def _back(self, step: Step, row: StepEntry) -> None:
        again, undoing = row.state == "running", f"undoing {step.describe()}"
        self._progress(f"{self._migration.location.file}: {undoing}")
        if again and self._unprobed_back(step, row):
            raise self._repair(step, "was being undone, or applied, when a run ended")
        if row.stored.get("applied", True):
            if not again:
                before = self._tried(step, undoing, lambda: self._prepare_back(step))
                row = replace(row, state="running", stored={**row.stored, **before})
            self._reverting()
            self._rows[row.step] = row
            self._save(row)
            self._tried(step, undoing, lambda: self._revert(step, row, again))
        self._rows[row.step] = replace(row, state="pending", stored={})
        self._ledger.amend(self._row_key(row), state="pending", stored={})
        if isinstance(step, (CustomStep, UpdateInBatches)):
            self._settle()

    def _prepare_back(self, step: Step) -> dict[str, Any]:
        if isinstance(step, (CustomStep, UpdateInBatches)):
            if isinstance(step, CustomStep) or callable(step.revert):
                self._tools.theirs()
            return {}
        return patiently(lambda again: self._tools.catalogue.prepare_back(step), self._progress)

    def _revert(self, step: Step, row: StepEntry, again: bool) -> None:
        if isinstance(step, UpdateInBatches) and not callable(step.revert):
            patiently(
                lambda again: self._updates().backward(step, self._current(row) if again else row), self._progress,
                again=again,
            )  # fmt: skip
        elif isinstance(step, (UpdateInBatches, CustomStep)):
            asked = again and isinstance(step, CustomStep) and step.probe is not None
            if not (asked and isinstance(step, CustomStep) and not self._probed(step)):
                assert callable(step.revert)
                self._ledger.fence()
                called(step.revert, self._tools.theirs())
            self._tools.catalogue.view.forget()
        else:
            stored = dict(row.stored)
            patiently(
                lambda again: self._tools.catalogue.backward(step, stored, again=again),
                self._progress,
                again=again,
            )

    def _undoable(self) -> None:
        for step in self._steps:
            if not inverse_of(step):
                what = "down(db)" if self._loaded.steps is None else f"revert= of {step.describe()}"
                raise MigrationStopped(
                    f"migration {self._migration.number} cannot be undone: it has no {what}",
                    location=self._migration.location, next="write it; nothing was changed",
                )  # fmt: skip
        self._unchanged()

    def _unprobed_back(self, step: Step, row: StepEntry) -> bool:
        if isinstance(step, CustomStep):
            return step.probe is None
        return isinstance(step, UpdateInBatches) and (
            callable(step.revert) or row.at_least_once or self._at_least_once(step)
        )

    def _blind(self, number: int, step: Step) -> StepEntry:
        """The row of a step that was not run here; what was there before it nobody wrote down."""
        from dbtrust.engine.mongo.exact import bare_revert

        recorded = isinstance(step, UpdateInBatches) and bare_revert(step)
        if not recorded and isinstance(
            step, (CreateCollection, CreateIndex, RenameCollection, CustomStep, UpdateInBatches)
        ):
            stored = {"applied": True}
            return StepEntry(number, step.describe(), "done", fingerprint(step), None, False, stored)
        raise MigrationStopped(
            f"migration {self._migration.number} was not run by dbtrust ({self._entry.origin}): what {step.describe()} "
            "replaced is not in the ledger",
            location=self._migration.location, next="undo it by hand, then run `dbtrust migrate repair --mark pending`",
        )  # fmt: skip

    # --- verify

    def _verify(self) -> None:
        for function in self._loaded.verify:
            name = getattr(function, "__name__", "verify")
            said = self._asked(function)
            if said:
                self._refuted(f"verify {name} {said}")

    def _asked(self, function: Callable[[Any], object]) -> str:
        try:
            value = called(function, self._tools.theirs())
        except ProjectCodeError as error:
            return f"failed: {error.message}"
        except Exception as error:
            if of_the_moment(error):
                from dbtrust.migrate.failures_mongo import stopped

                raise stopped(error, self._migration, "verify") from error
            return f"raised {type(error).__name__}: {' '.join(str(error).split())}"
        return "" if value is True else f"gave {value!r}, not True"

    def _refuted(self, said: str) -> None:
        where = f"migration {self._migration.number}: {said}"
        if not all(inverse_of(step) for step in self._steps):
            self._settle()
            raise MigrationStopped(
                f"{where}; it has no down, so it is in force, and the ledger has it as running",
                location=self._migration.location,
                next="mend the data, then `dbtrust migrate up` asks again",
            )
        self._entry = replace(self._entry, state="running")
        self.down()
        self._settle()
        raise MigrationStopped(
            f"{where}; it was undone", location=self._migration.location, next="mend the migration"
        )

    # --- both ways

    def _tried(self, step: Step, doing: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (LeaseLost, LedgerGone, MigrationStopped):
            raise
        except Exception as error:
            from dbtrust.migrate.failures_mongo import stopped

            told = self._tools.trapped()
            step_next = "create the index before the transaction begins, or after it has ended"
            failure = stopped(DbtrustError(told, next=step_next) if told else error, self._migration, doing)
            failure.__cause__ = error
            running = any(row.state == "running" for row in self._rows.values())
            if running and isinstance(step, CustomStep) and step.probe is None:
                said = failure.message.removeprefix(doing)
                why = f"failed{said}" if said.startswith(":") else said.strip()
                undone = "was being undone, and " if doing != step.describe() else ""
                raise self._repair(step, f"{undone}{why}", failure) from error
            raise failure from error

    def _repair(self, step: Step, why: str, failure: DbtrustError | None = None) -> MigrationStopped:
        number = self._migration.number
        return MigrationStopped(
            f"{step.describe()} of migration {number} {why}. It has no probe, so what it changed stays, and it is not run again by itself",
            location=failure.location if failure else self._migration.location,
            next=f"look at the database, then `dbtrust migrate repair --mark done {number}` or `--mark pending {number}`",
        )

    def _unchanged(self) -> None:
        """Raises MigrationStopped where a step that ran, or may have, is another one in the file now.

        In a file that is what it was only the steps' names are compared: arguments are made anew at each run, and
        the time of now, or the order of a set, is no edit.
        """
        same = bool(self._entry.checksum) and self._entry.checksum == self._migration.checksum
        for number, row in self._rows.items():
            if row.state == "pending":
                continue
            step = self._steps[number - 1] if number <= len(self._steps) else None
            if step is None or (step.describe() != row.text if same else fingerprint(step) != row.checksum):
                raise MigrationStopped(
                    f"step {number} of migration {self._migration.number} ({row.text}) has run, or may have, and was edited since",
                    location=self._migration.location,
                    next="take the edit back and run it again; edit only steps that have not run",
                )

    def _current(self, row: StepEntry) -> StepEntry:
        """The row as the ledger has it: a batch may have been committed although its answer was lost."""
        rows = patiently(lambda again: self._ledger.steps(self._key), self._progress)
        return next((found for found in rows if found.step == row.step), row)

    def _updates(self) -> Batches:
        if self._batches is None:
            self._batches = self._tools.batches(self._key, self._progress)
        return self._batches

    def _at_least_once(self, step: Step) -> bool:
        if isinstance(step, UpdateInBatches):
            from dbtrust.engine.mongo.exact import bare_revert, repeatable

            reverts = bare_revert(step) and not repeatable(step.revert)  # pyright: ignore[reportArgumentType]
            return not self._updates().atomic and (not repeatable(step.update) or reverts)
        return isinstance(step, CustomStep) and step.probe is None


def fingerprint(step: Step) -> str:
    """SHA-256 of what the step says; a function counts by its name, whatever else can be called by its class."""
    from hashlib import sha256

    parts = [_said(getattr(step, field.name)) for field in fields(step)]
    return sha256("\x1f".join([type(step).__name__, *parts]).encode("utf-8", "surrogatepass")).hexdigest()


def _said(value: object) -> str:
    """A repr that names no address: that of a callable is another one at each run."""
    from functools import partial

    if isinstance(value, partial):
        return f"partial({_said(value.func)}, {value.args!r}, {value.keywords!r})"
    name = getattr(value, "__qualname__", None)
    return str(name) if name is not None else type(value).__qualname__ if callable(value) else repr(value)


def begun(migration: Migration, who: str, version: str) -> Entry:
    """The entry of a migration that begins now."""
    return Entry(
        int(migration.number), migration.number, migration.name, "mongo", "running", "applied", migration.checksum, kept(migration),
        who, version, datetime.now(UTC),
    )  # fmt: skip


def kept(migration: Migration) -> str | None:
    """The text for the ledger; one of more than a megabyte is not kept."""
    return migration.text if len(migration.text) <= 1_000_000 else None
