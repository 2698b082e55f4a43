"""What rows came to between two states, as losses: those that were there before, and those that were written after an up."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from dbtrust.engine.postgres.table_rows import Name, Row, TableRows
from dbtrust.judge.catalog import diff
from dbtrust.migrate.known import Known
from dbtrust.migrate.lossy import Loss, keys_of, label, losses
from dbtrust.migrate.new_rows import NewRow
from dbtrust.model.catalog import Catalog, qualified
from dbtrust.model.constraints import Promises


@dataclass(frozen=True, slots=True)
class Triggers:
    """The triggers of two states, and what they may write."""

    before: Catalog
    after: Catalog

    def stamp(self, table: Name, column: str) -> bool:
        """Does a trigger of the table, or one whose function names the table, speak of the column?"""
        return any(
            _says(column, text) and (item.path[:2] == table or _says(table[1], text))
            for catalog in (self.before, self.after)
            for item in catalog.objects
            if item.kind == "trigger"
            for text in [_program(catalog, item.definition)]
        )

    def add(self, loss: Loss) -> bool:
        """Is it a row more in a table of which a trigger of another table speaks? Nothing is lost by it."""
        return loss.before is None and any(
            item.kind == "trigger"
            and item.path[:2] != loss.table
            and _says(loss.table[1], _program(catalog, item.definition))
            for catalog in (self.before, self.after)
            for item in catalog.objects
        )


def _says(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(word)}(?![\w$])", text, re.IGNORECASE) is not None


def _program(catalog: Catalog, trigger: Mapping[str, Any]) -> str:
    """The text of a trigger, with its arguments, and the body of its function."""
    called = str(trigger.get("function", ""))
    names = {called, f"public.{called}"}
    bodies = (o.definition.get("body") for o in catalog.objects if o.kind == "function" and o.name in names)
    return " ".join([str(trigger.get("definition", "")), *(str(body) for body in bodies)])


@dataclass(slots=True)
class Told:
    """The rows that were written after the up, and all rows before it and after the down."""

    rows: Sequence[NewRow]
    written: Mapping[Name, TableRows]
    before: Mapping[Name, TableRows]
    after: Mapping[Name, TableRows]
    rules: Promises
    known: Known
    start: datetime

    @property
    def triggers(self) -> Triggers:
        return Triggers(self.known.before, self.known.after)

    def outcome(self) -> tuple[list[Loss], list[Loss], list[str]]:
        """What was lost, what was changed because the old schema has no room for it, what went with new objects."""
        lost: list[Loss] = []
        changed: list[Loss] = []
        gone: dict[str, None] = {}
        keys = keys_of(self.known.before)
        rest = {name: self._left(name, table) for name, table in self.before.items()}
        for name, table in self.before.items():
            if name in self.after:
                kept = {name: kept_rows(table, self.after[name])}
                lost += compared_rows(
                    {name: table}, kept, keys, self.start, changed_columns(self.known), self.triggers
                )
        for row in self.rows:
            old = self.rules.tables.get(row.oid)
            name = (old.relation.schema, old.relation.name) if old is not None else None
            if name is None or name not in self.before:
                gone[label(row.table)] = None
                continue
            self._one(row, name, rest[name], keys.get(name, ()), lost, changed, gone)
        return lost, changed, list(gone)

    def differing(self, first: Mapping[Name, TableRows], then: Mapping[Name, TableRows]) -> list[Loss]:
        """How the rows of one state differ in a later one, where rows have come."""
        kept = {name: kept_rows(table, then[name]) for name, table in first.items() if name in then}
        return compared_rows(first, kept, keys_of(self.known.before), self.start, (), self.triggers)

    def same(self, loss: Loss, effect: Loss) -> bool:
        """Is the loss what the effect says: the same row, and no other column of it?"""
        if loss.table != effect.table or loss.before is None or effect.before is None:
            return False
        alike = keys_of(self.known.before).get(loss.table) or loss.before.keys() - set(loss.columns)
        if any(loss.before.get(c) != effect.before.get(c) for c in alike if c in effect.before):
            return False
        return (loss.after is None) == (effect.after is None) and set(loss.columns) <= set(effect.columns)

    def _left(self, name: Name, table: TableRows) -> list[Row]:
        """The rows after the down that were not there before the up."""
        found = self.after.get(name)
        return list(minus(found, table).rows) if found is not None else []

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
        apart = [
            c
            for c in columns
            if was[c] != twin.get(c)
            and not (_stamp(twin.get(c), self.start) and self.triggers.stamp(name, c))
            and not (c in row.columns and _same_number(was[c], twin.get(c)))
        ]
        needed = row.columns | {c for table, c in changed_columns(self.known) if table == qualified(name)}
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


def compared_rows(
    before: Mapping[Name, TableRows], after: Mapping[Name, TableRows], keys: Mapping[Name, Collection[str]],
    start: datetime, changed: Collection[tuple[str, str]], triggers: Triggers | None,
) -> list[Loss]:  # fmt: skip
    """Losses of all tables. A stamp that a trigger wrote meanwhile is none, in a column whose definition stays (no `triggers`: nor
    any other)."""
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
                or not (_stamp(loss.after.get(c), start) and (triggers is None or triggers.stamp(name, c)))
            )
            if columns or not loss.columns:
                found.append(Loss(loss.table, columns, loss.before, loss.after))
    return found


def changed_columns(known: Known) -> set[tuple[str, str]]:
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


def _same_number(one: str | None, other: str | None) -> bool:
    """22 and 22.00, as two types write them."""
    texts = [text for text in (one, other) if text is not None and _NUMBER.fullmatch(text)]
    return len(texts) == 2 and Decimal(texts[0]) == Decimal(texts[1])


_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def minus(table: TableRows, other: TableRows | None) -> TableRows:
    """The rows of one that the other does not have, over the columns that both have."""
    rows = [dict(row) for row in table.rows]
    for row in other.rows if other is not None else ():
        same = next(
            (r for r in rows if all(r.get(c) == v for c, v in row.items() if c in table.columns)), None
        )
        if same is not None:
            rows.remove(same)
    return TableRows(table.columns, tuple(rows))


def kept_rows(before: TableRows, after: TableRows) -> TableRows:
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
