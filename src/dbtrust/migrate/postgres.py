"""PostgreSQL migrations proven one after the other on two databases that grow with them: one empty, one with rows."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import psycopg

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.footprints import ChangesServer
from dbtrust.engine.postgres.scripts import ask_boolean
from dbtrust.engine.postgres.table_rows import written_tables
from dbtrust.judge.catalog import diff
from dbtrust.migrate.drifted import judge_drifted
from dbtrust.migrate.filling import Filler
from dbtrust.migrate.known import Known
from dbtrust.migrate.patch import Patcher
from dbtrust.migrate.populated import Populated
from dbtrust.migrate.twice import IDEMPOTENT, second_run
from dbtrust.migrate.verdicts import (
    CHECKS,
    NO_DOWN,
    after_failure,
    after_wrong_down,
    compared,
    down_verdicts,
    failed,
    purpose,
    unproved,
    verdict,
    with_patch,
)
from dbtrust.migrate.world import Trial, World
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import DbtrustError
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.source.data import RowSource
from dbtrust.source.layouts.ways_back import Home
from dbtrust.source.migrations import History
from dbtrust.stage.postgres import PostgresStage
from dbtrust.stage.skipped import Skipped, SkipWatch


def prove_postgres(
    stage: PostgresStage,
    history: History,
    *,
    generators: Sequence[RowSource] = (),
    only: frozenset[str] | None = None,
    progress: Progress = silent,
    home: Home | None = None,
) -> list[Verdict]:
    """migrate.* of every PostgreSQL migration, in order, from an empty database.

    `generators` are the project's own, which fill the tables that they fit. `only`: the numbers of the migrations that
    are judged; the others are applied. `home`: where their files lie. Raises ServerError.
    """
    migrations = [m for m in history.migrations if m.engine == "postgres"]
    with opened(stage, generators, home or Home(migrations=migrations)) as prover:
        return prover.prove(migrations, only, progress)


@contextmanager
def opened(
    stage: PostgresStage, generators: Sequence[RowSource] = (), home: Home | None = None
) -> Generator[Prover]:
    """A prover on two empty databases, which are dropped at the end. Raises ServerError."""
    scratch = stage.scratch
    with (
        _taken_back(stage),
        scratch.temporary(scratch.create("prove")) as bare,
        scratch.temporary(scratch.create("rows")) as full,
    ):
        prover = Prover(World(stage, bare), Populated(World(stage, full), Filler(generators)), home or Home())
        try:
            yield prover
        finally:
            prover.close()


@contextmanager
def _taken_back(stage: PostgresStage) -> Generator[None]:
    """What the history made outside its databases goes when these are gone, and with it what hung on it there."""
    guest = stage.scratch.guest
    if guest is None:
        yield
        return
    with guest.round():
        yield


@dataclass(slots=True)
class Prover:
    """Keeps the two databases that the history grows on. `verdicts` are those so far."""

    _bare: World
    _full: Populated
    _home: Home
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    #: Why a migration that is right could not be applied for good, and the next step.
    _stopped: tuple[()] | tuple[str, str] = ()

    def close(self) -> None:
        self._bare.close()
        self._full.world.close()

    def prove(
        self, migrations: Sequence[Migration], only: frozenset[str] | None, progress: Progress
    ) -> list[Verdict]:
        """The verdicts of a whole history; those behind an up that failed cannot be judged."""
        for place, migration in enumerate(migrations):
            progress(f"proving {migration.location.file} ({place + 1} of {len(migrations)})")
            wanted = only is None or migration.number in only
            if not (self.judge(migration) if wanted else True) or not self.apply(migration):
                for later in migrations[place + 1 :]:
                    self.verdicts += after_failure(later, migration.number, *self._stopped)
                break
        if only is None:
            return self.verdicts
        subjects = {f"migration:{number}" for number in only}
        return [v for v in self.verdicts if v.subject in subjects or v.verdict == "refuted"]

    def judge(self, migration: Migration) -> bool:
        """Adds the verdicts of one migration; both databases are then as they were. False where the up failed."""
        known = self._judged(migration)
        if known is None:
            self.verdicts += [
                unproved(migration, c, "the up failed", "missing_object") for c in CHECKS if c != "migrate.up"
            ]
            return False
        self.verdicts.append(judge_drifted(self._bare, migration, known.after))
        self.verdicts += self._full.prove(migration, known)
        self._patched(migration, known)
        return True

    def apply(self, migration: Migration) -> bool:
        """The up for good on both databases; False where it failed."""
        before = self._bare.catalog
        try:
            self._bare.commit(migration)
        except ChangesServer as error:
            # What the trial has shown of it stands.
            self._stopped = (error.message, error.next)
            return False
        except DbtrustError as error:
            self.verdicts.append(failed(migration, "migrate.up", error, "the up failed"))
            return False
        self._full.commit(migration, Known(before, self._bare.catalog))
        return True

    def _judged(self, migration: Migration) -> Known | None:
        """Up, down and up again without rows. None where the up fails."""
        with self._bare.trial(migration) as trial:
            after = self._up(trial, migration)
            if after is None:
                return None
            self._verify(trial, migration)
            self._twice(trial, migration, after)
            trial.failed_behind = False
            start = len(self.verdicts)
            known = self._down_and_up(trial, migration, after)
        return self._committed(migration, known, start) if trial.failed_behind else known

    def _committed(self, migration: Migration, known: Known, start: int) -> Known:
        """A half failed behind another one in one transaction: what happens where each is committed decides."""
        shared = self.verdicts[start:]
        with self._bare.trial(migration, copied=True) as trial:
            try:
                trial.apply(migration)
            except DbtrustError:
                return known
            del self.verdicts[start:]
            known = self._down_and_up(trial, migration, trial.read())
        if [v.verdict for v in shared] != [v.verdict for v in self.verdicts[start:]]:
            for world in (self._bare, self._full.world):
                world.committed.add(migration.number)
        return known

    def _up(self, trial: Trial, migration: Migration) -> Catalog | None:
        skipped = SkipWatch(trial.connection)
        try:
            trial.apply(migration, on_skip=skipped)
        except DbtrustError as error:
            self.verdicts.append(failed(migration, "migrate.up", error, "the up failed"))
            return None
        hidden = skipped.hidden
        self.verdicts.append(
            _hidden(migration, hidden) if hidden else verdict(migration, "migrate.up", "holds", "applied")
        )
        return trial.read()

    def _verify(self, trial: Trial, migration: Migration) -> None:
        assert migration.up is not None
        for line in migration.up.verify:
            try:
                with trial.connection.transaction(force_rollback=True):
                    value = ask_boolean(trial.connection, line.text)
                outcome, said = (
                    ("holds", "true") if value is True else ("refuted", f"found {value!r}, claimed true")
                )
            except psycopg.Error as error:
                outcome, said = "refuted", describe(error)
            self.verdicts.append(
                verdict(migration, "migrate.verify", outcome, said, claim=line.text, location=line.location)
            )  # pyright: ignore[reportArgumentType]

    def _twice(self, trial: Trial, migration: Migration, after: Catalog) -> None:
        """Says whether the up can be run twice; refuted where the file claims it and it cannot."""
        assert migration.up is not None
        said = _run_twice(trial, migration, after)
        place = next(n for n in reversed(range(len(self.verdicts))) if self.verdicts[n].check == "migrate.up")
        found = self.verdicts[place]
        evidence = {**found.evidence, "applied twice": said}
        self.verdicts[place] = replace(found, evidence=evidence)
        if migration.up.rerunnable and found.verdict == "holds":
            self._claimed(migration, place, said)

    def _claimed(self, migration: Migration, place: int, said: str) -> None:
        """The file says that the up can be run twice: over rows, too."""
        if not said.startswith("not idempotent"):
            said = self._full.twice(migration)
        found = self.verdicts[place]
        evidence = {**found.evidence, "applied twice": said}
        self.verdicts[place] = (
            replace(found, evidence=evidence) if said.startswith(IDEMPOTENT) else replace(
                found, verdict="refuted", evidence=evidence,
                message=f"it is marked rerunnable, and run a second time it is {said}",
                next="let the second run do nothing, or take the mark away",
            )
        )  # fmt: skip

    def _down_and_up(self, trial: Trial, migration: Migration, after: Catalog) -> Known:
        before = self._bare.catalog
        if migration.down is None:
            for check in ("migrate.down", "migrate.up_again"):
                self.verdicts.append(
                    unproved(migration, check, "it has no down", "no_down", NO_DOWN, kind="missing")
                )
            return Known(before, after)
        try:
            trial.apply(migration, "down")
        except DbtrustError as error:
            return self._without_down(migration, error, before, after)
        left = diff(before, trial.read())
        self.verdicts.append(
            compared(migration, "migrate.down", left, "before the up", migration.down.location)
        )
        self._again(trial, migration, after, wrong=bool(left))
        return Known(before, after, left)

    def _without_down(
        self, migration: Migration, error: DbtrustError, before: Catalog, after: Catalog
    ) -> Known:
        refuses = purpose(migration, error)
        self.verdicts += down_verdicts(migration, error)
        return Known(before, after, down_failed=not refuses, refuses=refuses)

    def _again(self, trial: Trial, migration: Migration, after: Catalog, *, wrong: bool) -> None:
        try:
            trial.apply(migration)
        except DbtrustError as error:
            if wrong:
                self.verdicts.append(after_wrong_down(migration, "migrate.up_again", error))
                return
            self.verdicts.append(failed(migration, "migrate.up_again", error, "the second up failed"))
            return
        again = diff(after, trial.read())
        if again and wrong:
            self.verdicts.append(after_wrong_down(migration, "migrate.up_again"))
            return
        self.verdicts.append(compared(migration, "migrate.up_again", again, "after the first up"))

    def _patched(self, migration: Migration, known: Known) -> None:
        """A down that is missing or wrong gets the one that the catalogs imply, where that one is proven."""
        place = next(
            n for n in reversed(range(len(self.verdicts))) if self.verdicts[n].check == "migrate.down"
        )
        found = self.verdicts[place]
        if found.evidence.get("kind") not in (
            "missing",
            "differs",
            "error",
            "irreversible",
            "only column order",
        ):
            return
        patch = Patcher(self._bare, self._full, self._home).patch(migration, known)
        if patch is not None:
            self.verdicts[place] = with_patch(found, patch.diff, patch.statements)


def _run_twice(trial: Trial, migration: Migration, after: Catalog) -> str:
    """What a second up does, which is taken back."""
    if not trial.rolled_back:
        return "not tried: it commits on its own"
    try:
        with trial.connection.transaction(force_rollback=True):
            return second_run(trial, migration, after, written_tables(trial.connection))
    except psycopg.Error as error:
        return f"not idempotent: {describe(error)}"


def _hidden(migration: Migration, hidden: Sequence[Skipped]) -> Verdict:
    first = hidden[0]
    message = f"IF NOT EXISTS kept another definition: {first.differences[0]}"
    evidence = {"differences": [str(d) for s in hidden for d in s.differences]}
    return verdict(
        migration,
        "migrate.up",
        "refuted",
        message,
        next="leave out IF NOT EXISTS",
        location=first.location,
        evidence=evidence,
    )
