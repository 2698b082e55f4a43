"""PostgreSQL migrations proven one after the other on one database; what must not stay is rolled back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg

from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.engine.postgres.scripts import ask_boolean
from dbtrust.judge.catalog import diff
from dbtrust.migrate.decoys import Decoy, decoys_for, under_another_name, without_helpers
from dbtrust.migrate.verdicts import after_failure, compared, failed, unproved, verdict
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.source.migrations import History
from dbtrust.stage.history import apply_postgres, in_transaction
from dbtrust.stage.postgres import PostgresStage
from dbtrust.stage.skipped import Skipped, SkipWatch


def prove_postgres(stage: PostgresStage, history: History, root: Path) -> list[Verdict]:
    """migrate.* of every PostgreSQL migration, in order, from an empty database."""
    del root
    migrations = [m for m in history.migrations if m.engine == "postgres"]
    with stage.scratch.temporary(stage.scratch.create("prove")) as name:
        return _Prover(stage, name).prove(migrations)


class _Prover:
    """Keeps the one database that the history grows on."""

    def __init__(self, stage: PostgresStage, name: str) -> None:
        self._stage, self._name = stage, name
        self._verdicts: list[Verdict] = []
        self._done: list[Migration] = []

    def prove(self, migrations: Sequence[Migration]) -> list[Verdict]:
        for place, migration in enumerate(migrations):
            if not self._one(migration):
                for later in migrations[place + 1 :]:
                    self._verdicts += after_failure(later, migration.number)
                break
            self._done.append(migration)
        return self._verdicts

    def _one(self, migration: Migration) -> bool:
        """False where the up failed, so that nothing behind it can be judged."""
        with self._connect() as connection:
            before = snapshot(connection)
        drifted = self._drifted(migration, before)
        with self._connect() as connection:
            after = self._up(connection, migration)
            if after is None:
                self._verdicts += [
                    unproved(migration, c, "the up failed", "missing_object")
                    for c in ("migrate.down", "migrate.up_again", "migrate.drifted")
                ]
                return False
            self._verify(connection, migration)
            self._verdicts.append(
                drifted or verdict(migration, "migrate.drifted", "not_applicable", "it creates no object")
            )
            intact = self._down_and_up(connection, migration, before, after)
        if not intact:
            self._rebuild(migration)
        return True

    def _connect(self) -> psycopg.Connection[Any]:
        return self._stage.owner(self._name, slow=True)

    def _up(self, connection: psycopg.Connection[Any], migration: Migration) -> Catalog | None:
        try:
            skipped = SkipWatch(connection)
            apply_postgres(connection, migration, on_skip=skipped)
        except DbtrustError as error:
            self._verdicts.append(failed(migration, "migrate.up", error, "the up failed"))
            return None
        hidden = skipped.hidden
        self._verdicts.append(
            _hidden(migration, hidden) if hidden else verdict(migration, "migrate.up", "holds", "applied")
        )
        return snapshot(connection)

    def _verify(self, connection: psycopg.Connection[Any], migration: Migration) -> None:
        assert migration.up is not None
        for line in migration.up.verify:
            try:
                value = ask_boolean(connection, line.text)
                outcome, said = (
                    ("holds", "true") if value is True else ("refuted", f"found {value!r}, claimed true")
                )
            except psycopg.Error as error:
                outcome, said = "refuted", describe(error)
            self._verdicts.append(
                verdict(migration, "migrate.verify", outcome, said, claim=line.text, location=line.location)
            )  # pyright: ignore[reportArgumentType]

    def _down_and_up(
        self, connection: psycopg.Connection[Any], migration: Migration, before: Catalog, after: Catalog
    ) -> bool:
        """False where the database is not as the up left it."""
        if migration.down is None:
            step = f"write {migration.number}_{migration.name}.down.sql"
            self._verdicts.append(unproved(migration, "migrate.down", "it has no down", "no_down", step))
            self._verdicts.append(unproved(migration, "migrate.up_again", "it has no down", "no_down", step))
            return True
        try:
            apply_postgres(connection, migration, direction="down")
        except DbtrustError as error:
            self._verdicts.append(failed(migration, "migrate.down", error, "the down failed"))
            self._verdicts.append(
                unproved(migration, "migrate.up_again", "the down failed", "missing_object")
            )
            return in_transaction(migration.down)
        left = diff(before, snapshot(connection))
        self._verdicts.append(
            compared(migration, "migrate.down", left, "before the up", migration.down.location)
        )
        try:
            apply_postgres(connection, migration)
        except DbtrustError as error:
            self._verdicts.append(failed(migration, "migrate.up_again", error, "the second up failed"))
            return False
        again = diff(after, snapshot(connection))
        self._verdicts.append(compared(migration, "migrate.up_again", again, "after the first up"))
        return not left and not again

    def _rebuild(self, migration: Migration) -> None:
        """A new database with the history up to and with `migration`: a wrong down must not spoil what follows."""
        self._stage.scratch.drop(self._name)
        self._name = self._stage.scratch.create("prove")
        with self._connect() as connection:
            for earlier in (*self._done, migration):
                apply_postgres(connection, earlier)

    # migrate.drifted

    def _drifted(self, migration: Migration, before: Catalog) -> Verdict | None:
        """None where the migration creates nothing. Each decoy is tried in a state that is thrown away."""
        assert migration.up is not None
        try:
            with self._throwaway(migration) as connection:
                apply_postgres(connection, migration)
                after = snapshot(connection)
        except DbtrustError:
            return None
        decoys, untried = decoys_for(before, after, diff(before, after))
        if not decoys:
            return None
        refusals: list[str] = []
        for decoy in decoys:
            found = self._over(migration, decoy, after)
            if isinstance(found, Verdict):
                return found
            refusals.append(found)
        message = (
            f"tried over {len(decoys)} other object{'s' * (len(decoys) != 1)} of the same name: {refusals[0]}"
        )
        evidence = {
            "tried": [f"{d.kind} {d.name}: {r}" for d, r in zip(decoys, refusals, strict=True)],
            "not tried": untried,
        }
        return verdict(migration, "migrate.drifted", "holds", message, evidence=evidence)

    def _throwaway(self, migration: Migration) -> _Throwaway:
        return _Throwaway(self._stage, self._name, rolled_back=self._alone(migration))

    @staticmethod
    def _alone(migration: Migration) -> bool:
        """Do both halves run in a transaction, so that one that is rolled back can hold them?"""
        assert migration.up is not None
        return in_transaction(migration.up) and (migration.down is None or in_transaction(migration.down))

    def _over(self, migration: Migration, decoy: Decoy, after: Catalog) -> Verdict | str:
        """What happened over one decoy: how it was refused, or the verdict that it was not."""
        with self._throwaway(migration) as connection:
            try:
                for statement in decoy.statements:
                    execute_composed(connection, statement)
            except psycopg.Error as error:
                return f"the decoy could not be made: {describe(error)}"
            try:
                skipped = SkipWatch(connection)
                with connection.transaction() if self._alone(migration) else nullcontext():
                    apply_postgres(connection, migration, on_skip=skipped)
            except DbtrustError as error:
                return f"refused: {error.message}"
            except psycopg.Error as error:
                return f"refused: {describe(error)}"
            found = without_helpers(snapshot(connection))
            differences = diff(after, found)
            if not differences:
                return "it ends in the same catalog"
            if under_another_name(decoy, after, found, differences):
                if not self._down_drops(connection, migration, decoy):
                    return "the server gives the new one another name"
                message = f"the down drops another {decoy.kind} {decoy.name}, which the up did not create"
                return verdict(
                    migration, "migrate.drifted", "refuted", message, next="name the object in the up"
                )
            return self._hides(connection, migration, decoy, skipped, differences)

    def _hides(
        self,
        connection: psycopg.Connection[Any],
        migration: Migration,
        decoy: Decoy,
        skipped: Sequence[Skipped],
        differences: Sequence[Any],
    ) -> Verdict:
        place = skipped[0].location if skipped else migration.location
        message = (
            f"over another {decoy.kind} {decoy.name} the up reports success and leaves: {differences[0]}"
        )
        if self._down_drops(connection, migration, decoy):
            message += "; the down then drops the object that it did not create"
        evidence = {"differences": [str(d) for d in differences], "decoy": f"{decoy.kind} {decoy.name}"}
        step = "leave out IF NOT EXISTS, so that a wrong object stops the migration"
        return verdict(
            migration, "migrate.drifted", "refuted", message, next=step, location=place, evidence=evidence
        )

    def _down_drops(self, connection: psycopg.Connection[Any], migration: Migration, decoy: Decoy) -> bool:
        if migration.down is None or decoy.kind == "column":
            return False
        try:
            apply_postgres(connection, migration, direction="down")
        except (DbtrustError, psycopg.Error):
            return False
        return snapshot(connection).find(decoy.kind, decoy.name) is None


class _Throwaway:
    """A state that nobody sees: a transaction that is rolled back, or a copy where the script commits on its own."""

    def __init__(self, stage: PostgresStage, name: str, *, rolled_back: bool) -> None:
        self._stage, self._name, self._rolled_back = stage, name, rolled_back
        self._copy: str | None = None

    def __enter__(self) -> psycopg.Connection[Any]:
        if not self._rolled_back:
            self._copy = self._stage.scratch.copy(self._name, "copy")
        self._connection = self._stage.owner(self._copy or self._name, slow=True)
        if self._rolled_back:
            self._connection.execute("BEGIN")
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        if self._copy:
            self._stage.scratch.drop(self._copy)


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
