"""Up, down and up over rows: those that were there before, and those that new code has written after the up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.run import execute_last
from dbtrust.engine.postgres.table_rows import Name, Row, TableRows, rows_of, tables_named, written_tables
from dbtrust.judge.catalog import diff
from dbtrust.migrate.filling import Filler
from dbtrust.migrate.lossy import Declared, Loss, constraints_of, keys_of, label, losses
from dbtrust.migrate.new_rows import NewRow, affected, new_rows, old_rules
from dbtrust.migrate.verdicts import NO_DOWN, explained, failed, purpose, unproved, verdict
from dbtrust.migrate.world import Trial, World
from dbtrust.model.catalog import Catalog, Difference, qualified
from dbtrust.model.constraints import Promises
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

CHECKS = ("migrate.populated", "migrate.written")
#: So many rows are tried alone to find the one over which a down fails.
_CULPRITS = 12
_MANY = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the proof on the empty database came to: the catalogs, and what the down left there."""

    before: Catalog
    after: Catalog
    left: Sequence[Difference] = ()
    down_failed: bool = False
    refuses: bool = False


@dataclass(slots=True)
class Populated:
    """The database with rows. `spoilt` says why it can no longer be used."""

    world: World
    filler: Filler
    filled: bool = False
    spoilt: str = ""
    _lost: set[str] = field(default_factory=set[str])

    def prove(self, migration: Migration, known: Known) -> list[Verdict]:
        """migrate.populated and migrate.written of one migration; the database is then as it was."""
        if self.spoilt:
            return [unproved(migration, c, self.spoilt, "missing_object") for c in CHECKS]
        declared = Declared(tuple(dict.fromkeys(_lossy(migration))))
        self._lost.clear()
        populated = self._populated(migration, known, declared)
        if populated.evidence.get("up failed"):
            stopped = unproved(migration, CHECKS[1], "the up failed over rows", "missing_object")
            return [populated, stopped]
        written = self._written(migration, known, declared)
        return [_with_unneeded(populated, declared), written]

    def commit(self, migration: Migration, known: Known) -> None:
        """Goes on to the next migration: the up for good, rows for what it made, one more where it added columns."""
        if self.spoilt:
            return
        try:
            self.world.commit(migration)
        except DbtrustError:
            if not self._emptied(migration):
                return
        names = affected(diff(known.before, self.world.catalog), known.before, self.world.catalog)
        there = {oid: name for oid, (name, _) in tables_named(self.world.connection, names).items()}
        made = [oid for oid, name in there.items() if known.before.find("table", qualified(name)) is None]
        self.filler.fill(self.world.connection, made)
        self.filler.more(self.world.connection, [oid for oid in there if oid not in made])
        self.filled = self.filled or bool(made)

    def _emptied(self, migration: Migration) -> bool:
        """The up once more without any row; False where the database is spoilt."""
        try:
            tables = [o.path for o in self.world.catalog.objects if o.kind == "table"]
            with self.world.connection.transaction():
                for path in tables:
                    self.filler.clear(self.world.connection, path[0], path[1])
            self.world.commit(migration)
        except (DbtrustError, psycopg.Error) as error:
            said = error.message if isinstance(error, DbtrustError) else describe(error)
            self.spoilt = (
                f"migration {migration.number} could not be applied to the database with rows: {said}"
            )
            return False
        self.filled = False
        return True

    # migrate.populated

    def _populated(self, migration: Migration, known: Known, declared: Declared) -> Verdict:
        if not self.filled:
            return verdict(migration, CHECKS[0], "not_applicable", "no table has rows before it")
        with self.world.trial(migration) as trial:
            try:
                trial.apply(migration)
            except DbtrustError as error:
                return self._up_failed(migration, error, known)
            if (stopped := no_down(migration, CHECKS[0], known)) is not None:
                return stopped
            start = datetime.now(UTC)
            try:
                trial.apply(migration, "down")
            except DbtrustError as error:
                return _down_failed(
                    migration, error, "over rows that were there before the up the down fails"
                )
            left = _others(diff(self.world.catalog, trial.read()), known.left)
            tables = self._touched(trial)
            rows = rows_of(trial.connection, tables)
            again = self._again(trial, migration, known)
        before = rows_of(self.world.connection, tables)
        lost = _compared(before, rows, keys_of(self.world.catalog), start, _changed_columns(known))
        self._lost |= {str(loss) for loss in lost}
        return self._judged(migration, left, lost, again, declared, before)

    def _judged(
        self, migration: Migration, left: Sequence[Difference], lost: Sequence[Loss], again: Verdict | None,
        declared: Declared, before: Mapping[Name, TableRows],
    ) -> Verdict:  # fmt: skip
        constraints = constraints_of(self.world.catalog)
        undeclared = [loss for loss in lost if not declared.excuses(loss, constraints)]
        if left:
            return explained(migration, CHECKS[0], left, "before the up, only where there are rows")
        if undeclared:
            return _lossy_verdict(migration, CHECKS[0], undeclared, "lossy")
        if again is not None:
            return again
        count = sum(len(t.rows) for t in before.values())
        if lost:
            message = f"it loses what it declares to lose: {lost[0]}"
            evidence = {"kind": "lossy", "declared": True, "lost": [str(loss) for loss in lost[:_MANY]]}
            return verdict(migration, CHECKS[0], "holds", message, evidence=evidence)
        message = "the down brings back the catalog and every row that was there"
        if before:
            message += f" ({count} rows of {', '.join(sorted(label(t) for t in before))} compared)"
        return verdict(migration, CHECKS[0], "holds", message, evidence={"kind": "identical", "rows": count})

    def _up_failed(self, migration: Migration, error: DbtrustError, known: Known) -> Verdict:
        """Rows that were made up may break a rule that the project's own rows keep: that refutes nothing."""
        found = failed(migration, CHECKS[0], error, "over rows the up fails")
        evidence = {"kind": "error", "up failed": True, "rows": self._samples(known)}
        chance = getattr(error, "sqlstate", "") in ("23503", "23505", "23514", "23P01") or (
            getattr(error, "sqlstate", "") == "23502" and not self._adds(known)
        )
        if not chance:
            return verdict(
                migration, CHECKS[0], found.verdict, found.message, reason=found.reason, location=found.location,
                next=found.next, evidence=evidence,
            )  # fmt: skip
        step = (
            "bring the rows in order before the rule is made, or give [data] a generator whose rows keep it"
        )
        message = f"{found.message}; the rows that were made up for it keep the old rules alone"
        return verdict(
            migration, CHECKS[0], "unproved", message, reason="undecided", next=step, location=error.location,
            evidence=evidence,
        )  # fmt: skip

    def _samples(self, known: Known) -> list[str]:
        old = affected(diff(known.before, known.after), known.before, known.after)
        if self.world.connection.info.transaction_status == TransactionStatus.INERROR:
            return []
        return sorted(label(name) for name in old)

    @staticmethod
    def _adds(known: Known) -> bool:
        """Does the up add a column that may not be NULL?"""
        for d in diff(known.before, known.after):
            for key, (old, new) in d.fields.items():
                if (
                    d.kind == "table"
                    and key.startswith("column ")
                    and old is None
                    and new
                    and not new["nullable"]
                ):
                    return True
        return False

    def _again(self, trial: Trial, migration: Migration, known: Known) -> Verdict | None:
        try:
            trial.apply(migration)
        except DbtrustError as error:
            return failed(migration, CHECKS[0], error, "over rows the second up fails")
        again = diff(known.after, trial.read())
        if again and not known.left:
            return explained(migration, CHECKS[0], again, "after the first up, only where there are rows")
        return None

    def _touched(self, trial: Trial) -> list[Name]:
        """The tables whose rows or definitions the scripts have written; all where that is not known."""
        relations = self.world.watched.relations()
        touched = trial.watched.touched if trial.watched is not None else None
        names = [(o.path[0], o.path[1]) for o in relations.values() if o.kind == "table"]
        if touched is None:
            return names
        written = written_tables(trial.connection)
        there = {oid: (o.path[0], o.path[1]) for oid, o in relations.items() if o.kind == "table"}
        return sorted({name for oid, name in there.items() if oid in touched or name in written})

    # migrate.written

    def _written(self, migration: Migration, known: Known, declared: Declared) -> Verdict:
        if (stopped := no_down(migration, CHECKS[1], known)) is not None:
            return stopped
        names = affected(diff(known.before, known.after), known.before, known.after)
        new = {name for name in names if known.after.find("table", qualified(name)) is not None}
        if not new:
            return verdict(migration, CHECKS[1], "not_applicable", "it changes no table that stays")
        rules = old_rules(self.world.connection, names)
        with self._trial(migration) as trial:
            try:
                trial.apply(migration)
            except DbtrustError as error:
                return unproved(migration, CHECKS[1], f"the up failed: {error.message}", "missing_object")
            first = rows_of(trial.connection, new)
            rows = list(new_rows(trial.connection, self.filler, rules, new))
            there = rows_of(trial.connection, new)
            if not rows:
                why = "; ".join(f"{t}: {w}" for t, w in self.filler.failed.items())
                return unproved(
                    migration, CHECKS[1], f"no row could be written after the up: {why}", "undecided"
                )
            start = datetime.now(UTC)
            failure = _failure(trial, migration)
            left = _others(diff(self.world.catalog, trial.read()), known.left) if failure is None else []
            tables = [(o.path[0], o.path[1]) for o in known.before.objects if o.kind == "table"]
            touched = self._touched(trial) if trial.rolled_back else tables
            after = rows_of(trial.connection, touched) if failure is None else {}
        if failure is not None:
            return self._culprit(migration, failure, rows)
        before = rows_of(self.world.connection, touched)
        after_up = {name: _minus(there[name], first.get(name)) for name in there}
        told = _Told(rows, after_up, before, after, rules, known, start)
        return self._verdict_of(migration, left, told, declared)

    def _trial(self, migration: Migration) -> AbstractContextManager[Trial]:
        """A new label of an enum cannot be used before the up is committed."""
        assert migration.up is not None
        return self.world.trial(migration, copied=bool(re.search(r"(?i)\bADD\s+VALUE\b", migration.up.sql)))

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
                    return _down_failed(
                        migration, alone, f"after the up, over {row.why or 'a row of ' + label(row.table)}, the down fails",
                        CHECKS[1], row,
                    )  # fmt: skip
        return _down_failed(migration, error, "after the up has been written to, the down fails", CHECKS[1])

    def _verdict_of(
        self, migration: Migration, left: Sequence[Difference], told: _Told, declared: Declared
    ) -> Verdict:
        if left:
            return explained(migration, CHECKS[1], left, "before the up, only where new rows are there")
        lost, changed, gone = told.outcome()
        lost = [loss for loss in lost if str(loss) not in self._lost]
        constraints = constraints_of(told.known.before, told.known.after)
        undeclared = [loss for loss in lost if not declared.excuses(loss, constraints)]
        for loss in changed:
            declared.excuses(loss, constraints)
        if undeclared:
            return _lossy_verdict(migration, CHECKS[1], undeclared, "lossy only with new rows", told.rows)
        special = [row for row in told.rows if row.why]
        evidence: dict[str, Any] = {"rows": [row.shown for row in told.rows[:_MANY]], "kind": "identical"}
        message = f"{len(told.rows)} row{'s' * (len(told.rows) != 1)} written after the up" + (
            f" ({'; '.join(dict.fromkeys(row.why for row in special))})" if special else ""
        )
        said = "; the down keeps every row that was there"
        if lost or changed:
            evidence |= {
                "kind": "lossy only with new rows",
                "changed": [str(x) for x in [*lost, *changed][:_MANY]],
            }
            what = "declared" if lost else "a value that the old schema cannot hold"
            said += f"; {what}: {(lost or changed)[0]}"
        if gone:
            evidence["gone with its table or column"] = gone
            said += f"; what was written to {', '.join(gone)} goes with it"
        return verdict(migration, CHECKS[1], "holds", message + said, evidence=evidence)


@dataclass(slots=True)
class _Told:
    """The rows that were written after the up, and all rows before it and after the down."""

    rows: Sequence[NewRow]
    written: Mapping[Name, TableRows]
    before: Mapping[Name, TableRows]
    after: Mapping[Name, TableRows]
    rules: Promises
    known: Known
    start: datetime

    def outcome(self) -> tuple[list[Loss], list[Loss], list[str]]:
        """What was lost, what was changed because the old schema has no room for it, what went with new objects."""
        lost: list[Loss] = []
        changed: list[Loss] = []
        gone: dict[str, None] = {}
        keys = keys_of(self.known.before)
        rest = {name: self._left(name, table) for name, table in self.before.items()}
        for name, table in self.before.items():
            if name in self.after:
                kept = {name: _kept(table, self.after[name])}
                lost += _compared({name: table}, kept, keys, self.start, _changed_columns(self.known))
        for row in self.rows:
            old = self.rules.tables.get(row.oid)
            name = (old.relation.schema, old.relation.name) if old is not None else None
            if name is None or name not in self.before:
                gone[label(row.table)] = None
                continue
            self._one(row, name, rest[name], keys.get(name, ()), lost, changed, gone)
        return lost, changed, list(gone)

    def _left(self, name: Name, table: TableRows) -> list[Row]:
        """The rows after the down that were not there before the up."""
        found = self.after.get(name)
        return list(_minus(found, table).rows) if found is not None else []

    def _one(
        self, row: NewRow, name: Name, rest: list[Row], keys: Collection[str], lost: list[Loss], changed: list[Loss],
        gone: dict[str, None],
    ) -> None:  # fmt: skip
        written = _like(row.values, self.written[row.table].rows if row.table in self.written else ())
        if written is None or self._in_new_table(written):
            return
        columns = [c for c in self.before[name].columns if c in written]
        gone |= {f"{label(row.table)}.{c}": None for c in written if c not in self.before[name].columns}
        was = {c: written[c] for c in columns}
        own = [k for k in keys if k in columns and k not in row.columns]
        twin = _closest(was, rest, own)
        if twin is None:
            lost.append(Loss(name, (), was, None))
            return
        rest.remove(twin)
        apart = [c for c in columns if was[c] != twin.get(c) and not _stamp(twin.get(c), self.start)]
        needed = row.columns | {c for table, c in _changed_columns(self.known) if table == qualified(name)}
        if bad := tuple(c for c in apart if c not in needed):
            lost.append(Loss(name, bad, was, twin))
        if told := tuple(c for c in apart if c in row.columns):
            changed.append(Loss(name, told, was, twin))

    def _in_new_table(self, row: Row) -> bool:
        """Is the row in a partition that only the new schema has?"""
        return any(
            name not in self.before and any(all(r.get(c) == v for c, v in row.items()) for r in table.rows)
            for name, table in self.written.items()
            if self.known.before.find("table", qualified(name)) is None
        )


def _failure(trial: Trial, migration: Migration) -> DbtrustError | None:
    try:
        trial.apply(migration, "down")
    except DbtrustError as error:
        return error
    return None


def no_down(migration: Migration, check: str, known: Known) -> Verdict | None:
    """The verdict where there is nothing to run, or where it failed on the empty database already."""
    if migration.down is None:
        return unproved(migration, check, "it has no down", "no_down", NO_DOWN, kind="missing")
    if known.refuses:
        return unproved(migration, check, "the down refuses on purpose", "no_down", kind="refuses")
    if known.down_failed:
        return unproved(
            migration, check, "the down failed on the empty database", "missing_object", kind="error"
        )
    return None


def _lossy(migration: Migration) -> Iterable[str]:
    for script in (migration.up, migration.down):
        yield from script.lossy if script is not None else ()


def _down_failed(
    migration: Migration, error: DbtrustError, what: str, check: str = CHECKS[0], row: NewRow | None = None
) -> Verdict:
    rows = {"row": row.shown, "why": row.why or "an ordinary row"} if row is not None else {}
    if purpose(migration, error):
        message = f"{what}: it refuses on purpose: {error.message}"
        return verdict(
            migration, check, "unproved", message, reason="no_down", location=error.location,
            evidence={"kind": "refuses", **rows},
        )  # fmt: skip
    found = failed(migration, check, error, what)
    message = f"{found.message}{f'; the row: {row.shown}' if row is not None else ''}"
    step = "let the down bring such rows in order first, or raise on purpose"
    return verdict(
        migration, check, found.verdict, message, reason=found.reason, next=step, location=found.location,
        evidence={"kind": "error", **rows},
    )  # fmt: skip


def _lossy_verdict(
    migration: Migration, check: str, undeclared: Sequence[Loss], kind: str, rows: Sequence[NewRow] = ()
) -> Verdict:
    said = "; ".join(str(loss) for loss in undeclared[:3])
    first = undeclared[0]
    what = f"column {first.label}.{first.columns[0]}" if first.columns else f"table {first.label}"
    evidence: dict[str, Any] = {
        "kind": kind, "lost": [str(loss) for loss in undeclared[:_MANY]], "declared": False,
    }  # fmt: skip
    if rows:
        evidence["rows"] = [row.shown for row in rows[:_MANY]]
    return verdict(
        migration, check, "refuted", f"{kind}: {said}",
        next=f"keep the rows in the down, or declare the loss: -- lossy: {what}",
        location=migration.down.location if migration.down is not None else migration.location, evidence=evidence,
    )  # fmt: skip


def _with_unneeded(found: Verdict, declared: Declared) -> Verdict:
    """A declaration that nothing needs is told beside the verdict."""
    unneeded = declared.unneeded
    if not unneeded or found.verdict in ("unproved", "not_applicable"):
        return found
    said = f"; nothing needs -- lossy: {'; '.join(unneeded)}"
    evidence = {**found.evidence, "not needed": unneeded}
    return Verdict(
        found.check, found.engine, found.subject, found.verdict, found.message + said, reason=found.reason,
        next=found.next, claim=found.claim, evidence=evidence, location=found.location,
    )  # fmt: skip


def _others(found: Sequence[Difference], known: Sequence[Difference]) -> list[Difference]:
    """Differences that the empty database did not show."""
    told = {str(d) for d in known}
    return [d for d in found if str(d) not in told]


def _compared(
    before: Mapping[Name, TableRows], after: Mapping[Name, TableRows], keys: Mapping[Name, Collection[str]],
    start: datetime, changed: Collection[tuple[str, str]],
) -> list[Loss]:  # fmt: skip
    """Losses of all tables. A stamp that a trigger wrote meanwhile is none, in a column that the migration leaves alone."""
    found: list[Loss] = []
    for name, table in before.items():
        if name not in after:
            continue  # The catalog tells that the table is gone.
        for loss in losses(name, table, after[name], keys.get(name, ())):
            columns = tuple(
                c
                for c in loss.columns
                if loss.after is None
                or (qualified(name), c) in changed
                or not _stamp(loss.after.get(c), start)
            )
            if columns or not loss.columns:
                found.append(Loss(loss.table, columns, loss.before, loss.after))
    return found


def _changed_columns(known: Known) -> set[tuple[str, str]]:
    """(table, column) that the up itself makes, drops or alters."""
    found: set[tuple[str, str]] = set()
    for d in diff(known.before, known.after):
        keys = (re.match(r"column (\S+)( (type|generated|collation|identity))?\Z", k) for k in d.fields)
        found |= {(d.name, key[1]) for key in keys if key and d.kind == "table"}
    return found


def _stamp(value: str | None, start: datetime) -> bool:
    """Is it a time of this run, as now() in a trigger gives it?"""
    if value is None or len(value) < 19:
        return False
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return False
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return start - timedelta(seconds=60) <= found <= datetime.now(UTC) + timedelta(seconds=1)


def _minus(table: TableRows, other: TableRows | None) -> TableRows:
    """The rows of one that the other does not have, over the columns that both have."""
    rows = [dict(row) for row in table.rows]
    for row in other.rows if other is not None else ():
        same = next(
            (r for r in rows if all(r.get(c) == v for c, v in row.items() if c in table.columns)), None
        )
        if same is not None:
            rows.remove(same)
    return TableRows(table.columns, tuple(rows))


def _kept(before: TableRows, after: TableRows) -> TableRows:
    """The rows after the down without those that are new: as many as there were, the most alike."""
    left = [dict(row) for row in after.rows]
    chosen: list[Row] = []
    for row in before.rows:
        same = max(left, default=None, key=lambda r: sum(r.get(c) == v for c, v in row.items()))
        if same is not None and any(same.get(c) == v for c, v in row.items()):
            left.remove(same)
            chosen.append(same)
    return TableRows(after.columns, tuple(chosen))


def _like(values: Mapping[str, str | None], rows: Sequence[Row]) -> Row | None:
    return max(rows, default=None, key=lambda r: sum(r.get(c) == v for c, v in values.items()))


def _closest(row: Row, others: Sequence[Row], keys: Collection[str]) -> Row | None:
    if keys:
        return next((o for o in others if all(o.get(k) == row[k] for k in keys)), None)
    best = max(others, default=None, key=lambda o: sum(o.get(c) == v for c, v in row.items()))
    alike = sum(best.get(c) == v for c, v in row.items()) if best is not None else 0
    return best if alike * 2 >= len(row) else None
