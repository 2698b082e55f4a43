"""migrate.written: the down over rows that new code has written after the up."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from dbtrust.engine.postgres.run import execute_last
from dbtrust.engine.postgres.table_rows import Name, rows_of, written_tables
from dbtrust.judge.catalog import diff
from dbtrust.judge.touched import copied_back
from dbtrust.migrate.filling import Filler
from dbtrust.migrate.known import MANY, Known, down_failed, lossy_verdict, no_down, other_differences
from dbtrust.migrate.lossy import Declared, Loss, constraints_of, label
from dbtrust.migrate.new_rows import NewRow, affected, new_rows, old_rules
from dbtrust.migrate.row_outcome import Told, minus
from dbtrust.migrate.verdicts import explained, unproved, verdict
from dbtrust.migrate.world import Trial, World
from dbtrust.model.catalog import Difference, qualified
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

CHECK = "migrate.written"
#: So many rows are tried alone to find the one over which a down fails.
_CULPRITS = 12


def _kept(migration: Migration) -> dict[str, set[str]]:
    up, down = migration.up, migration.down
    return copied_back(up.sql, down.sql) if up is not None and down is not None else {}


@dataclass(slots=True)
class Written:
    """`lost` are the losses that migrate.populated has told already, as texts."""

    _world: World
    _filler: Filler
    _lost: Collection[str]

    def judge(self, migration: Migration, known: Known, declared: Declared) -> Verdict:
        """The verdict; the database is as it was."""
        if (stopped := no_down(migration, CHECK, known)) is not None:
            return stopped
        names = affected(diff(known.before, known.after), known.before, known.after)
        new = {name for name in names if known.after.find("table", qualified(name)) is not None}
        if not new:
            return verdict(migration, CHECK, "not_applicable", "it changes no table that stays")
        rules = old_rules(self._world.connection, names)
        with self._trial(migration) as trial:
            try:
                trial.apply(migration)
            except DbtrustError as error:
                return unproved(migration, CHECK, f"the up failed: {error.message}", "missing_object")
            first = rows_of(trial.connection, new)
            rows = list(new_rows(trial.connection, self._filler, rules, new, _kept(migration)))
            there = rows_of(trial.connection, new)
            if not rows:
                why = "; ".join(f"{t}: {w}" for t, w in self._filler.failed.items())
                return unproved(migration, CHECK, f"no row could be written after the up: {why}", "undecided")
            start = datetime.now(UTC)
            failure = _failure(trial, migration)
            left = (
                other_differences(diff(self._world.catalog, trial.read()), known.left)
                if failure is None
                else []
            )
            tables = [(o.path[0], o.path[1]) for o in known.before.objects if o.kind == "table"]
            touched = touched_tables(self._world, trial) if trial.rolled_back else tables
            after = rows_of(trial.connection, touched) if failure is None else {}
        if failure is not None:
            return self._culprit(migration, failure, rows)
        before = rows_of(self._world.connection, touched)
        after_up = {name: minus(there[name], first.get(name)) for name in there}
        told = Told(rows, after_up, before, after, rules, known, start)
        return self._verdict_of(migration, left, told, declared)

    def _trial(self, migration: Migration) -> AbstractContextManager[Trial]:
        """A new label of an enum cannot be used before the up is committed."""
        assert migration.up is not None
        return self._world.trial(migration, copied=bool(re.search(r"(?i)\bADD\s+VALUE\b", migration.up.sql)))

    def _culprit(self, migration: Migration, error: DbtrustError, rows: Sequence[NewRow]) -> Verdict:
        """The down failed: over which of the rows does it fail alone?"""
        for row in sorted(rows, key=lambda r: not r.why)[:_CULPRITS]:
            with self._trial(migration) as trial:
                try:
                    trial.apply(migration)
                    for statement in row.statements:
                        execute_last(trial.connection, statement)
                except (DbtrustError, psycopg.Error):
                    continue
                try:
                    trial.apply(migration, "down")
                except DbtrustError as alone:
                    return down_failed(
                        migration, alone, f"after the up, over {row.why or 'a row of ' + label(row.table)}, the down fails",
                        CHECK, row,
                    )  # fmt: skip
        return down_failed(migration, error, "after the up has been written to, the down fails", CHECK)

    def _verdict_of(
        self, migration: Migration, left: Sequence[Difference], told: Told, declared: Declared
    ) -> Verdict:
        if left:
            return explained(migration, CHECK, left, "before the up, only where new rows are there")
        lost, changed, gone = told.outcome()
        lost = [loss for loss in lost if str(loss) not in self._lost]
        constraints = constraints_of(told.known.before, told.known.after)
        undeclared = [loss for loss in lost if not declared.excuses(loss, constraints)]
        for loss in changed:
            declared.excuses(loss, constraints)
        if undeclared:
            effects = self._effects(migration, undeclared, told)
            undeclared = [x for x in undeclared if not any(told.same(x, effect) for effect in effects)]
        if undeclared:
            return lossy_verdict(migration, CHECK, undeclared, "lossy only with new rows", told.rows)
        special = [row for row in told.rows if row.why]
        evidence: dict[str, Any] = {"rows": [row.shown for row in told.rows[:MANY]], "kind": "identical"}
        message = f"{len(told.rows)} row{'s' * (len(told.rows) != 1)} written after the up" + (
            f" ({'; '.join(dict.fromkeys(row.why for row in special))})" if special else ""
        )
        said = "; the down keeps every row that was there"
        if lost or changed:
            evidence |= {
                "kind": "lossy only with new rows",
                "changed": [str(x) for x in [*lost, *changed][:MANY]],
            }
            what = "declared" if lost else "a value that the old schema cannot hold"
            said += f"; {what}: {(lost or changed)[0]}"
        if gone:
            evidence["gone with its table or column"] = gone
            said += f"; what was written to {', '.join(gone)} goes with it"
        return verdict(migration, CHECK, "holds", message + said, evidence=evidence)

    def _effects(self, migration: Migration, lost: Sequence[Loss], told: Told) -> list[Loss]:
        """What the writing itself changed in rows that were there, by triggers: the up and the rows again, without a down."""
        names = {loss.table for loss in lost}
        with self._trial(migration) as trial:
            try:
                trial.apply(migration)
            except DbtrustError:
                return []
            first = rows_of(trial.connection, names)
            for statement in dict.fromkeys(s for row in told.rows for s in row.statements):
                with suppress(psycopg.Error), trial.connection.transaction():
                    execute_last(trial.connection, statement)
            return told.differing(first, rows_of(trial.connection, names))


def _failure(trial: Trial, migration: Migration) -> DbtrustError | None:
    try:
        trial.apply(migration, "down")
    except DbtrustError as error:
        return error
    return None


def touched_tables(world: World, trial: Trial) -> list[Name]:
    """The tables whose rows or definitions the scripts have written; all where that is not known."""
    relations = world.watched.relations()
    touched = trial.watched.touched if trial.watched is not None else None
    names = [(o.path[0], o.path[1]) for o in relations.values() if o.kind == "table"]
    if touched is None:
        return names
    written = written_tables(trial.connection)
    there = {oid: (o.path[0], o.path[1]) for oid, o in relations.items() if o.kind == "table"}
    return sorted({name for oid, name in there.items() if oid in touched or name in written})
