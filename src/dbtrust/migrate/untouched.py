"""UPDATEs, DELETEs and MERGEs that met no row, or changed none: what they lose was not seen, and nothing holds of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dbtrust.engine.postgres.table_rows import (
    Name,
    TableRows,
    rows_counted,
    rows_meant,
    rows_of,
    tables_named,
)
from dbtrust.engine.postgres.trial import gives_row
from dbtrust.judge.touched import RowCondition
from dbtrust.migrate.filling import Connection
from dbtrust.migrate.lossy import Declared, Loss, label
from dbtrust.migrate.rich import conditions_of
from dbtrust.model.catalog import Catalog
from dbtrust.model.project import Migration
from dbtrust.model.report import Verdict

#: So much of a statement is shown, so many of them are, and so many are looked for.
_SHOWN, _MANY, _MOST = 120, 3, 20
_NONE = (0, 0)
_NEXT = "give [data] of dbtrust.toml a generator with rows that it touches, or declare with -- lossy: what it may lose"


@dataclass(slots=True)
class Watch:
    """What an up that is about to run looks for. `seen`: in a transaction that is open, whose statistics are its own."""

    connection: Connection
    migration: Migration
    declared: Declared
    before: Catalog
    seen: bool
    found: dict[str, None] = field(default_factory=dict[str, None])
    _had: frozenset[Name] = frozenset()
    _counted: Mapping[Name, tuple[int, int]] = field(default_factory=dict[Name, tuple[int, int]])
    _rows: Mapping[Name, TableRows] = field(default_factory=dict[Name, TableRows])
    #: Statements with the tables that they may mean: of several schemas where they name none.
    _open: list[tuple[str, RowCondition, list[Name]]] = field(
        default_factory=list[tuple[str, RowCondition, list[Name]]]
    )

    def begin(self) -> None:
        """Before the up: statements whose own query gives no row. What cannot be asked yet is left to `end`."""
        for part, one in conditions_of(self.migration):
            names = self._names(one)
            if not part.runs or not names or self._is_declared(one, names):
                continue
            text = " ".join(part.text.split())
            if gives_row(self.connection, one.asked) is False and len(self.found) < _MOST:
                self.found[text] = None
            self._open.append((text, one, names))
        if self.seen:
            self._had, self._counted = frozenset(rows_meant(self.connection)), rows_counted(self.connection)
        if self._open:
            self._rows = rows_of(self.connection, self._named())

    def end(self, meant: Collection[Name]) -> list[str]:
        """After the up: with those that changed no row, as far as the server tells. `meant`: tables that the up was seen to write."""
        if not self._open and not meant:
            return []
        now = rows_counted(self.connection) if self.seen else {}
        there = tables_named(self.connection, {*meant, *self._named()})
        whole = {name for name, parted in there.values() if not parted}
        idle = {n for n in whole if self.seen and now.get(n, _NONE)[1] == self.counted(n)[1]}
        told = {name for text, _, names in self._open if text in self.found for name in names}
        rows = rows_of(self.connection, self._named() & whole)
        for text, one, names in self._open:
            asked = [] if told.intersection(names) else [n for n in names if n in whole]
            if asked and all(n in idle or not self._changed(one, n, rows) for n in asked):
                self.found[text] = None
        for name in sorted(idle.intersection(meant) - self._named()):
            if now.get(name, _NONE) == self.counted(name):
                self.found[f"what writes rows of {label(name)}"] = None
        return list(self.found)[:_MOST]

    def _named(self) -> set[Name]:
        return {name for _, _, names in self._open for name in names}

    def _changed(self, one: RowCondition, name: Name, after: Mapping[Name, TableRows]) -> bool:
        """Is a value of the columns that it sets another one? True where nobody can tell: new columns, or those that are gone."""
        old, new = self._rows.get(name), after.get(name)
        if one.written is None or old is None or new is None:
            return True
        columns = [c for c in one.written if c in old.columns and c in new.columns]
        if len(columns) < len(one.written) or not columns:
            return True
        return _values(old, columns) != _values(new, columns)

    def counted(self, name: Name) -> tuple[int, int]:
        """Rows inserted, and updated or deleted, before the up, those of earlier transactions among them."""
        return self._counted.get(name, _NONE)

    def had(self, name: Name) -> bool:
        """Had the transaction written to the table before the up?"""
        return name in self._had

    def _names(self, one: RowCondition) -> list[Name]:
        """The tables that were there before and that it may mean."""
        paths = [o.path for o in self.before.objects if o.kind == "table" and o.path[1] == one.table]
        return [(p[0], p[1]) for p in paths if one.schema in ("", p[0])]

    def _is_declared(self, one: RowCondition, names: Sequence[Name]) -> bool:
        deletes = one.written is None
        losses = [Loss(name, one.written or (), {}, None if deletes else {}) for name in names]
        return any(self.declared.excuses(loss) for loss in losses if deletes or loss.columns)


def _values(table: TableRows, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
    return sorted(
        (tuple(row.get(c) for c in columns) for row in table.rows), key=lambda row: [v or "" for v in row]
    )


def with_untouched(found: Verdict, statements: Sequence[str]) -> Verdict:
    """A verdict that holds over the rows that were there is open where these met none of them, or changed nothing."""
    if not statements or found.verdict != "holds":
        return found
    said = "; ".join(t if len(t) <= _SHOWN else f"{t[:_SHOWN]}…" for t in statements[:_MANY])
    message = f"no row was found that this would change, so that what it loses was not seen: {said}"
    evidence = {**found.evidence, "not tried": list(statements)}
    return replace(
        found, verdict="unproved", reason="no_data", message=message, next=_NEXT, evidence=evidence
    )
