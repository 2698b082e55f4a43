"""MongoDB migrations proven one after the other; decoys are tried on copies, since DDL cannot be rolled back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymongo.errors

from dbtrust.engine.mongo.capture import Capture
from dbtrust.engine.mongo.catalog import snapshot
from dbtrust.engine.mongo.copy import copy_database
from dbtrust.engine.mongo.decoys import make_decoy
from dbtrust.engine.mongo.errors import describe
from dbtrust.judge.catalog import diff
from dbtrust.migrate.mongo_implicit import left_by_down
from dbtrust.migrate.mongo_patch import MongoPatcher
from dbtrust.migrate.mongo_populated import MongoPopulated
from dbtrust.migrate.verdicts import (
    after_failure,
    after_wrong_down,
    compared,
    down_verdicts,
    failed,
    unproved,
    verdict,
    with_patch,
)
from dbtrust.model.catalog import Catalog, Difference
from dbtrust.model.errors import DbtrustError
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration
from dbtrust.model.project_code import called
from dbtrust.model.report import Verdict
from dbtrust.source.migrations import History, PythonMigration, load_python
from dbtrust.stage.history import apply_mongo, has_down

Fresh = Callable[[], AbstractContextManager[Any]]
_REST = ("migrate.down", "migrate.up_again", "migrate.drifted", "migrate.populated", "migrate.written")


def prove_mongo(
    fresh: Fresh,
    history: History,
    root: Path,
    capture: Capture,
    *,
    only: frozenset[str] | None = None,
    progress: Progress = silent,
) -> list[Verdict]:
    """migrate.* of every MongoDB migration, in order, from an empty database.

    `capture` listens to the client of the databases that `fresh` gives. `only`: the numbers of the migrations that are
    judged; the others before them are applied.
    """
    migrations = [m for m in history.migrations if m.engine == "mongo"]
    last = max((n for n, m in enumerate(migrations) if only is None or m.number in only), default=-1)
    with fresh() as database, fresh() as full:
        prover = _Prover(fresh, database, root, MongoPopulated(fresh, full, capture))
        return prover.prove(migrations[: last + 1], only, progress)


class _Prover:
    def __init__(self, fresh: Fresh, database: Any, root: Path, full: MongoPopulated) -> None:
        self._fresh, self._db, self._root, self._full = fresh, database, root, full
        self._verdicts: list[Verdict] = []

    def prove(
        self, migrations: Sequence[Migration], only: frozenset[str] | None, progress: Progress
    ) -> list[Verdict]:
        for place, migration in enumerate(migrations):
            progress(f"proving {migration.location.file} ({place + 1} of {len(migrations)})")
            step = self._one if only is None or migration.number in only else self._ground
            try:
                good = step(migration, load_python(migration, self._root))
            except DbtrustError as error:
                self._verdicts.append(failed(migration, "migrate.up", error, "it cannot be read"))
                self._verdicts += [
                    unproved(migration, c, "it cannot be read", "missing_object") for c in _REST
                ]
                good = False
            if not good:
                for later in migrations[place + 1 :]:
                    if only is None or later.number in only:
                        self._verdicts += after_failure(later, migration.number)
                break
        return self._verdicts

    def _ground(self, migration: Migration, loaded: PythonMigration) -> bool:
        """Applies one that is not judged; only a failure is told."""
        try:
            apply_mongo(self._db, migration, loaded)
        except DbtrustError as error:
            self._verdicts.append(failed(migration, "migrate.up", error, "the up failed"))
            return False
        self._full.commit(migration, loaded)
        return True

    def _one(self, migration: Migration, loaded: PythonMigration) -> bool:
        """False where the history cannot go on from here."""
        before = snapshot(self._db)
        with self._fresh() as earlier:
            copy_database(self._db.client, self._db.name, earlier.name)
            try:
                undo = apply_mongo(self._db, migration, loaded)
            except DbtrustError as error:
                self._verdicts.append(failed(migration, "migrate.up", error, "the up failed"))
                self._verdicts += [unproved(migration, c, "the up failed", "missing_object") for c in _REST]
                return False
            after = snapshot(self._db)
            self._verdicts.append(verdict(migration, "migrate.up", "holds", "applied"))
            self._verify(migration, loaded)
            self._verdicts.append(self._drifted(migration, loaded, earlier, before, after))
        good = self._down_and_up(migration, loaded, undo, before, after)
        down = next((v for v in reversed(self._verdicts) if v.check == "migrate.down"), None)
        self._verdicts += self._full.prove(migration, loaded, down)
        self._patched(migration, loaded)
        self._full.commit(migration, loaded)
        return good

    def _patched(self, migration: Migration, loaded: PythonMigration) -> None:
        """A down(db) that is missing or wrong gets the one that the catalogs imply, where that one is proven."""
        place = next(
            n for n in reversed(range(len(self._verdicts))) if self._verdicts[n].check == "migrate.down"
        )
        found = self._verdicts[place]
        if found.evidence.get("kind") not in ("missing", "differs", "error") or loaded.steps is not None:
            return
        patch = MongoPatcher(self._full, self._root).patch(migration, loaded)
        if patch:
            self._verdicts[place] = with_patch(found, patch, "")
        elif patch == "":
            step = f"{found.next}; only documents change: no catalog says what they were"
            self._verdicts[place] = replace(found, next=step)

    def _verify(self, migration: Migration, loaded: PythonMigration) -> None:
        for function in loaded.verify:
            name = getattr(function, "__name__", "verify")
            try:
                value = called(function, self._db)
                said = "true" if value is True else f"found {value!r}, claimed True"
            except Exception as error:
                value, said = None, f"{type(error).__name__}: {describe(error)}"
            outcome = "holds" if value is True else "refuted"
            self._verdicts.append(verdict(migration, "migrate.verify", outcome, said, claim=name))

    def _down_and_up(
        self, migration: Migration, loaded: PythonMigration, undo: list[Any], before: Catalog, after: Catalog
    ) -> bool:
        if not has_down(migration, loaded):
            self._verdicts += [
                unproved(
                    migration,
                    c,
                    "it has no down(db)",
                    "no_down",
                    "write down(db), or use steps",
                    kind="missing",
                )
                for c in _REST[:2]
            ]
            return True
        try:
            apply_mongo(self._db, migration, loaded, undo=undo, direction="down")
        except DbtrustError as error:
            self._verdicts += down_verdicts(migration, error)
            return self._as(after)
        left = left_by_down(self._db, migration, before)
        self._verdicts.append(compared(migration, "migrate.down", left, "before the up"))
        try:
            apply_mongo(self._db, migration, loaded)
        except DbtrustError as error:
            self._verdicts.append(
                after_wrong_down(migration, "migrate.up_again", error)
                if left
                else failed(migration, "migrate.up_again", error, "the second up failed")
            )
            return self._as(after)
        again = diff(after, snapshot(self._db))
        self._verdicts.append(
            after_wrong_down(migration, "migrate.up_again")
            if left and again
            else compared(migration, "migrate.up_again", again, "after the first up")
        )
        return True

    def _as(self, after: Catalog) -> bool:
        """Is the database, after a failure, still what the next migration expects?"""
        return not diff(after, snapshot(self._db))

    def _drifted(
        self, migration: Migration, loaded: PythonMigration, earlier: Any, before: Catalog, after: Catalog
    ) -> Verdict:
        created = [d for d in diff(before, after) if d.change == "extra" and not d.name.endswith("._id_")]
        if not created:
            return verdict(migration, "migrate.drifted", "not_applicable", "it creates no object")
        refusals: list[str] = []
        for difference in created:
            found = self._over(migration, loaded, earlier, difference, before, after)
            if isinstance(found, Verdict):
                return found
            refusals.append(f"{difference.kind} {difference.name}: {found}")
        message = f"tried over {len(created)} other object{'s' * (len(created) != 1)} of the same name: {refusals[0]}"
        return verdict(migration, "migrate.drifted", "holds", message, evidence={"tried": refusals})

    def _over(
        self,
        migration: Migration,
        loaded: PythonMigration,
        earlier: Any,
        difference: Difference,
        before: Catalog,
        after: Catalog,
    ) -> Verdict | str:
        """What happened over one decoy: how it was refused, or the verdict that it was not."""
        with self._fresh() as copy:
            copy_database(copy.client, earlier.name, copy.name)
            try:
                make_decoy(copy, difference.kind, difference.name, before)
            except pymongo.errors.PyMongoError as error:
                return f"the decoy could not be made: {describe(error)}"
            try:
                undo = apply_mongo(copy, migration, loaded)
            except DbtrustError as error:
                return f"refused: {error.message}"
            differences = diff(after, snapshot(copy))
            if not differences:
                return "it ends in the same catalog"
            message = f"over another {difference.kind} {difference.name} the up reports success and leaves: {differences[0]}"
            if self._down_drops(copy, migration, loaded, undo, difference):
                message += "; the down then drops the object that it did not create"
            evidence = {"differences": [str(d) for d in differences]}
            return verdict(
                migration,
                "migrate.drifted",
                "refuted",
                message,
                next="use steps, which compare what is there",
                evidence=evidence,
            )

    def _down_drops(
        self,
        copy: Any,
        migration: Migration,
        loaded: PythonMigration,
        undo: list[Any],
        difference: Difference,
    ) -> bool:
        if not has_down(migration, loaded):
            return False
        with suppress(DbtrustError):
            apply_mongo(copy, migration, loaded, undo=undo, direction="down")
            return snapshot(copy).find(difference.kind, difference.name) is None
        return False
