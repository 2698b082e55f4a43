"""Up, down and up of a MongoDB migration over documents, on copies that are thrown away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from dbtrust.engine.mongo.capture import Capture
from dbtrust.engine.mongo.catalog import indexes, snapshot
from dbtrust.engine.mongo.copy import copy_database
from dbtrust.judge.catalog import diff
from dbtrust.migrate.mongo_implicit import left_by_down
from dbtrust.migrate.mongo_rich import VARIANTS, enrich
from dbtrust.migrate.mongo_rows import (
    Written,
    everything,
    excused,
    fill,
    lost,
    new_documents,
    plain_collections,
    refused_now,
)
from dbtrust.migrate.mongo_touched import Sought, meet, sought, unsent, untouched, with_untouched
from dbtrust.migrate.verdicts import explained, failed, purpose, refuses, unproved, verdict
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict
from dbtrust.model.words import nearest
from dbtrust.source.migrations import PythonMigration
from dbtrust.stage.history import apply_mongo, has_down

CHECKS = ("migrate.populated", "migrate.written")
_MANY = 5


@dataclass(slots=True)
class MongoPopulated:
    """The database with documents. `spoilt` says why it can no longer be used."""

    fresh: Callable[[], AbstractContextManager[Any]]
    db: Any
    #: Listens to the client of these databases.
    capture: Capture
    spoilt: str = ""
    _sought: list[Sought] = field(default_factory=list[Sought])
    _wanted: Sequence[Sought] = ()

    def prove(self, migration: Migration, loaded: PythonMigration, down: Verdict | None) -> list[Verdict]:
        """Both verdicts of one migration; `down` is that of the empty database."""
        if self.spoilt:
            return [unproved(migration, c, self.spoilt, "missing_object") for c in CHECKS]
        if not has_down(migration, loaded):
            return [unproved(migration, c, "it has no down(db)", "no_down", kind="missing") for c in CHECKS]
        if down is not None and down.evidence.get("kind") == "refuses":
            return [
                unproved(migration, c, "the down refuses on purpose", "no_down", kind="refuses")
                for c in CHECKS
            ]
        if down is not None and down.verdict == "refuted":
            why = f"the down is wrong without documents already: {down.message}"
            return [unproved(migration, c, why, "missing_object") for c in CHECKS]
        used: set[str] = set()
        variants = self._accepted(migration, loaded)
        with self.fresh() as copy:
            copy_database(self.db.client, self.db.name, copy.name)
            self._enrich(copy, migration, variants)
            found = self._populated(migration, loaded, copy, used)
            unseen = unsent(migration.python or "", self._sought, loaded.lossy)
            populated = with_untouched(found, [*untouched(self._sought, loaded.lossy), *unseen])
        if populated.evidence.get("up failed"):
            return [
                populated,
                unproved(migration, CHECKS[1], "the up failed over documents", "missing_object"),
            ]
        with self.fresh() as copy:
            copy_database(self.db.client, self.db.name, copy.name)
            written = self._written(migration, loaded, copy, used)
        unneeded = [line for line in loaded.lossy if line not in used]
        there = self._collections(migration, loaded) if unneeded else ()
        return [_with_unneeded(populated, unneeded, there), written]

    def _collections(self, migration: Migration, loaded: PythonMigration) -> set[str]:
        """The collections before and after the up."""
        with self.fresh() as copy:
            copy_database(self.db.client, self.db.name, copy.name)
            names = {o.name for o in snapshot(copy).objects if o.kind == "collection"}
            with suppress(DbtrustError):
                apply_mongo(copy, migration, loaded)
            return names | {o.name for o in snapshot(copy).objects if o.kind == "collection"}

    def _accepted(self, migration: Migration, loaded: PythonMigration) -> Sequence[str]:
        """The kinds of odd documents over which the up runs: all of them, else those over which it runs alone.

        `_wanted` is then what it looked for, where it runs over documents that are made for that as well.
        """
        self._wanted, accepted = (), self._alone(migration, loaded)
        self._wanted = tuple(self._sought)
        if any(s.filter for s in self._wanted) and not self._runs(migration, loaded, accepted):
            self._wanted = ()
        return accepted

    def _alone(self, migration: Migration, loaded: PythonMigration) -> Sequence[str]:
        if self._runs(migration, loaded, VARIANTS):
            return VARIANTS
        alone = [v for v in VARIANTS if self._runs(migration, loaded, (v,))]
        return alone if self._runs(migration, loaded, alone) else ()

    def _runs(self, migration: Migration, loaded: PythonMigration, variants: Sequence[str]) -> bool:
        with self.fresh() as copy:
            copy_database(self.db.client, self.db.name, copy.name)
            self._enrich(copy, migration, variants)
            try:
                self._up(migration, loaded, copy)
            except DbtrustError:
                return False
        return True

    def _enrich(self, copy: Any, migration: Migration, variants: Sequence[str]) -> None:
        names = plain_collections(copy)
        enrich(copy, names, migration.python or "", variants)
        meet(copy, names, self._wanted)

    def _up(self, migration: Migration, loaded: PythonMigration, copy: Any) -> list[Any]:
        """The up, and what it looked for. Raises DbtrustError."""
        with self.capture.recording() as commands:
            undo = apply_mongo(copy, migration, loaded)
        self._sought = sought(commands, copy.name, loaded)
        return undo

    def commit(self, migration: Migration, loaded: PythonMigration) -> None:
        """The up for good, and documents for the collections that have none."""
        if self.spoilt:
            return
        try:
            apply_mongo(self.db, migration, loaded)
        except DbtrustError as error:
            self.spoilt = f"migration {migration.number} could not be applied over documents: {error.message}"
            return
        fill(self.db)

    def _populated(self, migration: Migration, loaded: PythonMigration, copy: Any, used: set[str]) -> Verdict:
        check, names = CHECKS[0], list(plain_collections(copy))
        before, catalog = everything(copy, names), snapshot(copy)
        count = sum(len(found) for found in before.values())
        if not count:
            return verdict(migration, check, "not_applicable", "no collection has documents before it")
        try:
            undo = self._up(migration, loaded, copy)
        except DbtrustError as error:
            found = failed(migration, check, error, "over documents the up fails")
            return _kind(found, {"kind": "error", "up failed": True})
        after = snapshot(copy)
        try:
            apply_mongo(copy, migration, loaded, undo=undo, direction="down")
        except DbtrustError as error:
            what = "over documents that were there before the up the down fails"
            if purpose(migration, error):
                return refuses(migration, check, error, what)
            return _kind(failed(migration, check, error, what), {"kind": "error"})
        if left := left_by_down(copy, migration, catalog):
            return explained(migration, check, left, "before the up, only where there are documents")
        gone = lost(before, everything(copy, names))
        if (wrong := _undeclared(gone, loaded.lossy, used)) is not None:
            return _lossy(migration, check, "lossy", wrong, [said for _, said in gone])
        try:
            apply_mongo(copy, migration, loaded)
        except DbtrustError as error:
            return _kind(
                failed(migration, check, error, "over documents the second up fails"), {"kind": "error"}
            )
        if again := diff(after, snapshot(copy)):
            return explained(migration, check, again, "after the first up, only where there are documents")
        if gone:
            evidence = {"kind": "lossy", "declared": True, "lost": [said for _, said in gone[:_MANY]]}
            message = f"it loses what it declares to lose: {gone[0][1]}"
            return verdict(migration, check, "holds", message, evidence=evidence)
        message = f"the down brings back the catalog and every document that was there ({count} compared)"
        return verdict(migration, check, "holds", message, evidence={"kind": "identical", "documents": count})

    def _written(self, migration: Migration, loaded: PythonMigration, copy: Any, used: set[str]) -> Verdict:
        check, old = CHECKS[1], plain_collections(copy)
        keys = {name: indexes(copy, name) for name in old}
        before, catalog = everything(copy, list(old)), snapshot(copy)
        try:
            undo = apply_mongo(copy, migration, loaded)
        except DbtrustError as error:
            return unproved(migration, check, f"the up failed: {error.message}", "missing_object")
        if not diff(catalog, snapshot(copy)):
            return verdict(migration, check, "not_applicable", "it changes no collection and no index")
        rows = new_documents(copy, old, keys)
        if not rows:
            return unproved(migration, check, "no document could be written after the up", "undecided")
        special = [row for row in rows if row.why]
        evidence: dict[str, Any] = {"rows": [row.shown for row in (special or rows)[:_MANY]]}
        try:
            apply_mongo(copy, migration, loaded, undo=undo, direction="down")
        except DbtrustError as error:
            over = (special or rows)[0]
            if purpose(migration, error):
                return refuses(migration, check, error, "over new documents the down refuses on purpose")
            found = failed(
                migration, check, error, f"after the up, over {over.why or 'a new document'}, the down fails"
            )
            return _kind(found, {"kind": "error", "row": over.shown, **evidence})
        if left := left_by_down(copy, migration, catalog, with_documents=True):
            return explained(migration, check, left, "before the up, only where new documents are there")
        return self._after(migration, loaded, copy, used, rows, before)

    def _after(
        self, migration: Migration, loaded: PythonMigration, copy: Any, used: set[str], rows: Sequence[Written],
        before: dict[str, dict[str, Any]],
    ) -> Verdict:  # fmt: skip
        """What became of the documents: those that were there, and those that are new."""
        check = CHECKS[1]
        gone = lost(before, everything(copy, list(before)))
        for row in rows:
            if (
                row.collection in before
                and copy[row.collection].find_one({"_id": row.document["_id"]}) is None
            ):
                gone.append(
                    (row.collection, f"{row.collection} lost {row.why or 'a new document'}: {row.shown}")
                )
        if (wrong := _undeclared(gone, loaded.lossy, used)) is not None:
            return _lossy(migration, check, "lossy only with new rows", wrong, [said for _, said in gone])
        if (bad := refused_now(copy, rows)) is not None:
            message = f"the down leaves {bad.why or 'a document'} where the validator that is back refuses it: {bad.shown}"
            step = "bring such documents in order in the down, before the validator"
            return verdict(
                migration,
                check,
                "refuted",
                message,
                next=step,
                evidence={"kind": "differs", "row": bad.shown},
            )
        said = "; ".join(dict.fromkeys(row.why for row in rows if row.why))
        new = sorted({row.collection for row in rows} - before.keys())
        message = (
            f"{len(rows)} document{'s' * (len(rows) != 1)} written after the up{f' ({said})' if said else ''}"
        )
        message += (
            f"; what was written to {', '.join(new)} goes with it"
            if new
            else "; the down keeps all that were there"
        )
        return verdict(
            migration,
            check,
            "holds",
            message,
            evidence={"kind": "identical", "rows": [r.shown for r in rows[:_MANY]]},
        )


def _undeclared(
    gone: Sequence[tuple[str, str]], declared: Sequence[str], used: set[str]
) -> tuple[str, str] | None:
    """The first loss that no line names; lines that name one are kept in `used`."""
    wrong: tuple[str, str] | None = None
    for what, said in gone:
        line = excused(what, declared)
        if line is None:
            wrong = wrong or (what, said)
        else:
            used.add(line)
    return wrong


def _lossy(
    migration: Migration, check: str, kind: str, wrong: tuple[str, str], said: Sequence[str]
) -> Verdict:
    step = f"keep the documents in the down, or declare the loss: lossy = [{wrong[0]!r}]"
    evidence = {"kind": kind, "lost": list(said[:_MANY]), "declared": False}
    return verdict(migration, check, "refuted", f"{kind}: {wrong[1]}", next=step, evidence=evidence)


def _kind(found: Verdict, evidence: dict[str, Any]) -> Verdict:
    return replace(found, evidence={**found.evidence, **evidence})


def _with_unneeded(found: Verdict, unneeded: Sequence[str], there: Collection[str]) -> Verdict:
    """A line that nothing needs is told; one of a collection that there is not refutes."""
    absent = [line for line in unneeded if not any(line == n or line.startswith(f"{n}.") for n in there)]
    if absent and found.verdict in ("holds", "not_applicable"):
        close = nearest(absent[0].partition(".")[0], sorted(there))
        step = f"did you mean {close}?" if close else "mend or remove it"
        said = f"lossy names {absent[0]!r}: there is no such collection before or after the up"
        evidence = {**found.evidence, "kind": "misnamed", "not needed": list(unneeded)}
        return replace(found, verdict="refuted", message=said, next=step, evidence=evidence)
    if not unneeded or found.verdict in ("unproved", "not_applicable"):
        return found
    message = f"{found.message}; nothing needs lossy = {list(unneeded)!r}"
    return replace(_kind(found, {"not needed": list(unneeded)}), message=message)
