"""What rows lost between two states of a table, and what a migration declares that it loses."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dbtrust.engine.postgres.table_rows import Name, Row, TableRows
from dbtrust.model.catalog import Catalog, path_of

#: A declared loss: its kind and its object.
DECLARED = re.compile(r"(column|table|constraint)\s+(\S.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Loss:
    """A row that is gone (`columns` is empty), one that has other values, or one that nobody wrote (`new`).

    `before` is the row as it was, `after` as it is; None where there is none.
    """

    table: Name
    columns: tuple[str, ...]
    before: Row | None
    after: Row | None

    @property
    def label(self) -> str:
        return label(self.table)

    def __str__(self) -> str:
        if self.after is None:
            return f"{self.label} lost the row {shown(self.before or {})}"
        if self.before is None:
            return f"{self.label} has a row that was not there: {shown(self.after)}"
        said = "; ".join(
            f"{c} was {_short(self.before.get(c))} and is {_short(self.after.get(c))}" for c in self.columns
        )
        key = next(iter(self.before.items()))
        return f"{self.label} changed the row {key[0]} = {_short(key[1])}: {said}"


def label(table: Name) -> str:
    schema, name = table
    return name if schema == "public" else f"{schema}.{name}"


def shown(row: Row) -> str:
    """A row in one line."""
    return "(" + ", ".join(f"{name} = {_short(value)}" for name, value in row.items()) + ")"


def _short(value: str | None) -> str:
    if value is None:
        return "NULL"
    return repr(value if len(value) <= 60 else value[:60] + "…")


def losses(table: Name, before: TableRows, after: TableRows | None, keys: Collection[str] = ()) -> list[Loss]:
    """How the rows of one table differ from what they were, row by row; a column that is gone counts as NULL.

    `keys`: the columns that tell the rows apart, where known.
    """
    columns = before.columns
    old = [dict(row) for row in before.rows]
    new = [{c: row.get(c) for c in columns} for row in (after.rows if after else ())]
    for row in list(old):
        if row in new:
            old.remove(row)
            new.remove(row)
    found: list[Loss] = []
    for row in old:
        twin = _twin(row, new, keys)
        if twin is None:
            found.append(Loss(table, (), row, None))
        else:
            new.remove(twin)
            found.append(Loss(table, tuple(c for c in columns if row[c] != twin[c]), row, twin))
    return found + [Loss(table, (), None, row) for row in new]


def _twin(row: Row, others: Sequence[Row], keys: Collection[str]) -> Row | None:
    """The row that this one has become: with the same key, else the one that is most like it."""
    known = [c for c in keys if c in row]
    if known:
        same = [o for o in others if all(o[c] == row[c] for c in known)]
        if same:
            return same[0]
    alike = [(sum(o[c] == row[c] for c in row), -n, o) for n, o in enumerate(others)]
    best = max(alike, default=(0, 0, None), key=lambda found: found[:2])
    return (
        best[2]
        if best[2] is not None and (best[0] or len(row) == 1) and (not known or best[0] > len(row) / 2)
        else None
    )


@dataclass(slots=True)
class Declared:
    """The `-- lossy:` lines of a migration; `used` are those that something needed."""

    lines: tuple[str, ...]
    used: set[str] = field(default_factory=set[str])

    def excuses(self, loss: Loss, constraints: Mapping[str, Name] = {}) -> bool:
        """Does a line name the column, the table or a constraint of the table? Marks the line as used."""
        found = {line for line in self.lines if _covers(line, loss, constraints)}
        columns = {c for line in found for c in loss.columns if _is_column(line, loss, c)}
        whole = [line for line in found if not line.lower().startswith("column")]
        if not whole and (not loss.columns or set(loss.columns) - columns):
            return False
        self.used |= found
        return bool(found)

    @property
    def unneeded(self) -> list[str]:
        return [line for line in self.lines if line not in self.used and line not in self.malformed]

    @property
    def malformed(self) -> list[str]:
        """Lines that name no column, table or constraint."""
        return [line for line in self.lines if DECLARED.fullmatch(line.strip()) is None]


def _covers(line: str, loss: Loss, constraints: Mapping[str, Name]) -> bool:
    match = DECLARED.fullmatch(line.strip())
    if match is None:
        return False
    kind, path = match[1].lower(), path_of(match[2].strip())
    if kind == "table":
        return _names(path, loss.table)
    if kind == "constraint":
        return constraints.get(path[-1]) == loss.table and (len(path) == 1 or _names(path[:-1], loss.table))
    return any(_is_column(line, loss, c) for c in loss.columns)


def _is_column(line: str, loss: Loss, column: str) -> bool:
    match = DECLARED.fullmatch(line.strip())
    if match is None or match[1].lower() != "column":
        return False
    path = path_of(match[2].strip())
    return len(path) >= 2 and path[-1] == column and _names(path[:-1], loss.table)


def _names(path: Sequence[str], table: Name) -> bool:
    return tuple(path) == table or (len(path) == 1 and path[0] == table[1])


def constraints_of(*catalogs: Catalog) -> dict[str, Name]:
    """Name of a constraint or unique index -> its table."""
    found: dict[str, Name] = {}
    for catalog in catalogs:
        for item in catalog.objects:
            if item.kind == "constraint":
                found[item.path[2]] = (item.path[0], item.path[1])
            elif item.kind == "index":
                found.setdefault(item.path[1], (item.path[0], str(item.definition["table"])))
    return found


def keys_of(catalog: Catalog) -> dict[Name, tuple[str, ...]]:
    """Table -> the columns of its primary key."""
    return {
        (o.path[0], o.path[1]): tuple(o.definition["structure"].get("columns", ()))
        for o in catalog.objects
        if o.kind == "constraint" and o.definition["structure"].get("type") == "primary key"
    }
