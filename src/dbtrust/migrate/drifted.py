"""migrate.drifted: over another object of the same name the up refuses, or ends in the same catalog."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.judge.catalog import diff
from dbtrust.migrate.decoys import Decoy, decoys_for, under_another_name, without_helpers
from dbtrust.migrate.verdicts import verdict
from dbtrust.migrate.world import Trial, World, alone
from dbtrust.model.catalog import Catalog
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.stage.skipped import Skipped, SkipWatch


def judge_drifted(world: World, migration: Migration, after: Catalog) -> Verdict:
    """Each object that the up creates is tried over a stranger, in a state that is thrown away."""
    return _Drifted(world).judge(migration, after)


@dataclass(slots=True)
class _Drifted:
    _world: World

    def judge(self, migration: Migration, after: Catalog) -> Verdict:
        before = self._world.catalog
        decoys, untried = decoys_for(before, after, diff(before, after))
        if not decoys:
            return verdict(migration, "migrate.drifted", "not_applicable", "it creates no object")
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

    def _over(self, migration: Migration, decoy: Decoy, after: Catalog) -> Verdict | str:
        """What happened over one decoy: how it was refused, or the verdict that it was not."""
        with self._world.trial(migration) as trial:
            connection = trial.connection
            try:
                for statement in decoy.statements:
                    execute_composed(connection, statement)
            except psycopg.Error as error:
                return f"the decoy could not be made: {describe(error)}"
            try:
                skipped = SkipWatch(connection)
                with connection.transaction() if alone(migration) else nullcontext():
                    trial.apply(migration, on_skip=skipped)
            except DbtrustError as error:
                return f"refused: {error.message}"
            except psycopg.Error as error:
                return f"refused: {describe(error)}"
            found = without_helpers(trial.read())
            differences = diff(after, found)
            if not differences:
                return "it ends in the same catalog"
            if under_another_name(decoy, after, found, differences):
                if not self._down_drops(trial, migration, decoy):
                    return "the server gives the new one another name"
                message = f"the down drops another {decoy.kind} {decoy.name}, which the up did not create"
                return verdict(
                    migration, "migrate.drifted", "refuted", message, next="name the object in the up"
                )
            return self._hides(trial, migration, decoy, skipped, differences)

    def _hides(
        self,
        trial: Trial,
        migration: Migration,
        decoy: Decoy,
        skipped: Sequence[Skipped],
        differences: Sequence[Any],
    ) -> Verdict:
        place = skipped[0].location if skipped else migration.location
        message = (
            f"over another {decoy.kind} {decoy.name} the up reports success and leaves: {differences[0]}"
        )
        if self._down_drops(trial, migration, decoy):
            message += "; the down then drops the object that it did not create"
        evidence = {"differences": [str(d) for d in differences], "decoy": f"{decoy.kind} {decoy.name}"}
        step = "leave out IF NOT EXISTS, so that a wrong object stops the migration"
        return verdict(
            migration, "migrate.drifted", "refuted", message, next=step, location=place, evidence=evidence
        )

    def _down_drops(self, trial: Trial, migration: Migration, decoy: Decoy) -> bool:
        if migration.down is None or decoy.kind == "column":
            return False
        try:
            trial.apply(migration, "down")
        except (DbtrustError, psycopg.Error):
            return False
        return trial.read().find(decoy.kind, decoy.name) is None
