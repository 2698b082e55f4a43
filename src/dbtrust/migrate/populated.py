"""Up, down and up over rows: those that were there before, and those that new code has written after the up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.sequence_values import Counter
from dbtrust.engine.postgres.table_rows import (
    Name,
    TableRows,
    relations_left,
    rows_meant,
    rows_of,
    tables_named,
    written_tables,
)
from dbtrust.judge.catalog import diff
from dbtrust.migrate.filling import Filler
from dbtrust.migrate.known import (
    MANY,
    Known,
    down_failed,
    lossy_lines,
    lossy_verdict,
    no_down,
    other_differences,
    with_unneeded,
)
from dbtrust.migrate.lossy import Declared, Loss, constraints_of, keys_of, label
from dbtrust.migrate.new_rows import affected
from dbtrust.migrate.rich import NAMED, PLAIN, VARIANTS, Aim, Enricher, aimed_at
from dbtrust.migrate.row_outcome import Triggers, changed_columns, compared_rows
from dbtrust.migrate.set_back import moved, set_back, set_back_verdict, undeclared_set_back
from dbtrust.migrate.twice import every_table, second_run
from dbtrust.migrate.untouched import Watch, with_untouched
from dbtrust.migrate.verdicts import after_wrong_down, explained, failed, unproved, verdict
from dbtrust.migrate.world import Trial, World
from dbtrust.migrate.written import Written, touched_tables
from dbtrust.model.catalog import Difference, qualified
from dbtrust.model.errors import DbtrustError
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

CHECKS = ("migrate.populated", "migrate.written")


@dataclass(slots=True)
class Populated:
    """The database with rows. `spoilt` says why it can no longer be used."""

    world: World
    filler: Filler
    filled: bool = False
    spoilt: str = ""
    _lost: set[str] = field(default_factory=set[str])
    _unseen: set[Name] = field(default_factory=set[Name])
    #: Those of them for which odd rows were put in.
    _meant: frozenset[Name] = frozenset()

    def prove(self, migration: Migration, known: Known) -> list[Verdict]:
        """migrate.populated and migrate.written of one migration; the database is then as it was."""
        if self.spoilt:
            return [unproved(migration, c, self.spoilt, "missing_object") for c in CHECKS]
        declared = Declared(tuple(dict.fromkeys(lossy_lines(migration))))
        self._lost.clear()
        self._unseen, self._meant = set(), frozenset()
        populated = self._populated(migration, known, declared)
        if populated.evidence.get("up failed"):
            stopped = unproved(migration, CHECKS[1], "the up failed over rows", "missing_object")
            return [populated, stopped]
        written = Written(self.world, self.filler, self._lost).judge(migration, known, declared)
        return [with_unneeded(populated, declared, migration, known), written]

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

    def twice(self, migration: Migration) -> str:
        """What a second up does over rows."""
        said = ""
        for variants in (VARIANTS, ()):
            with self.world.trial(migration) as trial:
                before = self.world.catalog
                names = aimed_at(migration, (), before, before)
                self._enriched(trial, migration, Aim(names, names), variants)
                try:
                    trial.apply(migration)
                except DbtrustError as error:
                    said = f"not tried over rows: {error.message}"
                    continue
                after = trial.read()
                return second_run(trial, migration, after, every_table(after))
        return said

    # migrate.populated

    def _populated(self, migration: Migration, known: Known, declared: Declared) -> Verdict:
        if not self.filled:
            return verdict(migration, CHECKS[0], "not_applicable", "no table has rows before it")
        aim = Aim.of(migration, diff(known.before, known.after), known.before, known.after)
        found = self._aimed(migration, known, declared, aim)
        if self._unseen and found.verdict == "holds":
            self._meant = more = frozenset(self._unseen)
            aim = Aim({*aim.tables, *more}, {*aim.rewritten, *more}, {*aim.reckoned} - more)
            found = self._aimed(migration, known, declared, aim)
        return found

    def _aimed(self, migration: Migration, known: Known, declared: Declared, aim: Aim) -> Verdict:
        """The verdict over odd rows in the tables of the aim, or over none where the up fails over each kind."""
        found = self._over(migration, known, declared, aim, VARIANTS)
        if found is None:
            kinds = VARIANTS if aim.rewritten else PLAIN
            alone = [v for v in kinds if self._runs(migration, aim, (v,))]
            found = self._over(migration, known, declared, aim, alone)
            if found is None:
                found = self._apart(migration, known, declared, aim, alone)
        return found or self._tame(migration, known, declared)

    def _apart(
        self, migration: Migration, known: Known, declared: Declared, aim: Aim, alone: Sequence[str]
    ) -> Verdict | None:
        """Over rows of which each kind is fine by itself, but not all together: those that the scripts name apart."""
        parts = [[v for v in alone if (v in NAMED) == named] for named in (True, False)]
        found = [self._over(migration, known, declared, aim, part) for part in parts if part]
        told = [v for v in found if v is not None]
        told.sort(
            key=lambda v: ("refuted", "holds").index(v.verdict) if v.verdict in ("refuted", "holds") else 2
        )
        return told[0] if told else None

    def _tame(self, migration: Migration, known: Known, declared: Declared) -> Verdict:
        found = self._over(migration, known, declared, Aim(), ())
        assert found is not None
        return found

    def _over(
        self, migration: Migration, known: Known, declared: Declared, aim: Aim, variants: Sequence[str]
    ) -> Verdict | None:
        """The verdict over the rows that are there and those of the variants; None where the up fails over the latter."""
        with self.world.trial(migration) as trial:
            own = self._enriched(trial, migration, aim, variants)
            gives = moved(trial.connection, migration)
            watch = Watch(trial.connection, migration, declared, known.before, trial.rolled_back)
            watch.begin()
            try:
                trial.apply(migration)
            except DbtrustError as error:
                return None if own else self._up_failed(migration, error, known)
            idle = watch.end(self._meant)
            self._unseen = self._written_unseen(trial, aim, watch)
            if (stopped := no_down(migration, CHECKS[0], known)) is not None:
                return stopped
            start = datetime.now(UTC)
            try:
                trial.apply(migration, "down")
            except DbtrustError as error:
                return down_failed(migration, error, "over rows that were there before the up the down fails")
            left = other_differences(diff(self.world.catalog, trial.read()), known.left)
            touched = touched_tables(self.world, trial)
            rows = self._after(trial, {*touched, *own})
            back = set_back(trial.connection, gives)
            again = self._again(trial, migration, known)
        before = rows_of(self.world.connection, [name for name in touched if name not in own]) | own
        triggers = Triggers(known.before, known.after)
        lost = compared_rows(
            before, rows, keys_of(self.world.catalog), start, changed_columns(known), triggers
        )
        lost = [loss for loss in lost if not triggers.add(loss)]
        self._lost |= {str(loss) for loss in lost}
        return with_untouched(self._judged(migration, left, lost, again, declared, before, back), idle)

    def _runs(self, migration: Migration, aim: Aim, variants: Sequence[str]) -> bool:
        with self.world.trial(migration) as trial:
            try:
                self._enriched(trial, migration, aim, variants)
                trial.apply(migration)
            except DbtrustError:
                return False
        return True

    def _enriched(
        self, trial: Trial, migration: Migration, aim: Aim, variants: Sequence[str]
    ) -> dict[Name, TableRows]:
        """Puts the rows in; the rows of every table that this has written."""
        if not aim.tables or not variants:
            return {}
        Enricher(trial.connection, self.filler, migration, variants, aim).enrich()
        relations = self.world.watched.relations().values()
        every = {(o.path[0], o.path[1]) for o in relations if o.kind == "table"}
        written = written_tables(trial.connection) & every if trial.rolled_back else every
        return rows_of(trial.connection, {*aim.tables, *written})

    def _written_unseen(self, trial: Trial, aim: Aim, watch: Watch) -> set[Name]:
        """The tables whose rows the up has changed or looked for, and which its text does not tell: EXECUTE, functions, cascades."""
        if not trial.rolled_back:
            return set()
        found = rows_meant(trial.connection)
        told: set[Name] = set()
        for name, (inserted, changed) in found.items():
            before = watch.counted(name)
            plain = changed == before[1] and (inserted > before[0] or watch.had(name))
            told |= {name} if plain or name in aim.rewritten else set()
        return {n for n in found.keys() - told if self.world.catalog.find("table", qualified(n)) is not None}

    def _after(self, trial: Trial, names: Collection[Name]) -> dict[Name, TableRows]:
        """The rows after the down; a table that is gone, and not under another name, has none."""
        rows = rows_of(trial.connection, names)
        missing = set(names) - rows.keys()
        if not missing:
            return rows
        relations = self.world.watched.relations()
        oids = {oid: (o.path[0], o.path[1]) for oid, o in relations.items() if o.kind == "table"}
        gone = {oid: name for oid, name in oids.items() if name in missing}
        left = relations_left(trial.connection, gone)
        return rows | {name: TableRows((), ()) for oid, name in gone.items() if oid not in left}

    def _judged(
        self, migration: Migration, left: Sequence[Difference], lost: Sequence[Loss], again: Verdict | None,
        declared: Declared, before: Mapping[Name, TableRows], back: Sequence[tuple[Counter, int]],
    ) -> Verdict:  # fmt: skip
        constraints = constraints_of(self.world.catalog)
        undeclared = [loss for loss in lost if not declared.excuses(loss, constraints)]
        if left:
            return explained(migration, CHECKS[0], left, "before the up, only where there are rows")
        if undeclared:
            return lossy_verdict(migration, CHECKS[0], undeclared, "lossy")
        if told := undeclared_set_back(back, declared):
            return set_back_verdict(migration, CHECKS[0], told)
        if again is not None:
            return again
        count = sum(len(t.rows) for t in before.values())
        if lost:
            message = f"it loses what it declares to lose: {lost[0]}"
            evidence = {"kind": "lossy", "declared": True, "lost": [str(loss) for loss in lost[:MANY]]}
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
            if known.left:
                return after_wrong_down(migration, CHECKS[0], error)
            return failed(migration, CHECKS[0], error, "over rows the second up fails")
        again = diff(known.after, trial.read())
        if again and not known.left:
            return explained(migration, CHECKS[0], again, "after the first up, only where there are rows")
        return None
