"""The catalog of a database that one connection changes, read again only where its own rows were written since.

Every row of a system catalog names the transaction that wrote it. After a `mark`, each later read asks which rows are
newer and which are gone, and reads the objects that they belong to; what is rolled back is as it was at the mark.
A rename, and whatever is rare, reads everything: a name stands in the text of other objects.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

from dbtrust.engine.postgres import questions
from dbtrust.engine.postgres.catalog import (
    OTHERS,
    Asking,
    Unit,
    canonical,
    catalog_of,
    read_parts,
    reread,
)
from dbtrust.model.catalog import Catalog, CatalogObject

Parts = Mapping[Unit, tuple[CatalogObject, ...]]
#: catalog -> key of a row -> (kind of owner, owner, second owner), as changes.sql tells them.
Rows = dict[str, dict[int, tuple[int, int, int]]]
_KINDS = {0: "r", 1: "q", 2: "t", 3: "f"}
_HANGING: Mapping[int, str] = {4: "constraint", 5: "trigger", 6: "rewrite", 7: "policy", 8: "statistics"}
_BASE: LiteralString = "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text AS base"
#: A type or view that others are built on is told in their text.
_ENTANGLED: LiteralString = """
WITH RECURSIVE built (oid) AS (
  SELECT unnest(%(relations)s::oid[])
  UNION
  SELECT w.ev_class FROM built b
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = b.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite w ON w.oid = d.objid
) SELECT oid::int8 AS oid FROM built
"""


@dataclass(slots=True)
class _State:
    """Everything that was read at one time."""

    parts: Parts
    rows: Rows


@dataclass(slots=True)
class Watched:
    """The catalog as `connection` sees it. Nobody else may change the database meanwhile.

    `mark` is called where no transaction is open; every `read` after it costs what was changed since. `whole` and
    `partial` count the reads of either kind.
    """

    connection: psycopg.Connection[Any]
    whole: int = 0
    partial: int = 0
    #: The relations (OIDs) that the last read found written since the mark; None where it read everything.
    touched: set[int] | None = None
    _base: str = ""
    _marked: _State = field(default_factory=lambda: _State({}, {}))

    def mark(self) -> Catalog:
        """The catalog as it is now, committed. Raises psycopg.Error."""
        with self._asking() as cursor:
            state = self._read(cursor)
            row = cursor.execute(_BASE).fetchone()
        assert row is not None
        self._base, self._marked = row["base"], state
        return catalog_of(item for items in state.parts.values() for item in items)

    def read(self) -> Catalog:
        """The catalog with what the open transaction has changed. Raises psycopg.Error."""
        with self._asking() as cursor:
            state = self._read(cursor)
        return catalog_of(item for items in state.parts.values() for item in items)

    @contextmanager
    def _asking(self) -> Generator[psycopg.Cursor[Any]]:
        """A plan that was made for any object is good enough, and costs nothing the next time."""
        questions.remember(self.connection)
        with canonical(self.connection, generic=True) as cursor:
            yield cursor

    def relations(self) -> dict[int, CatalogObject]:
        """OID -> the relation, as they were at the mark."""
        return {unit[1]: items[0] for unit, items in self._marked.parts.items() if unit[0] == "r"}

    def _read(self, cursor: psycopg.Cursor[Any]) -> _State:
        if self._base and (found := self._delta(cursor)) is not None:
            self.partial += 1
            return found
        self.whole += 1
        self.touched = None
        _, rows, _ = _changes(cursor, None, ())
        return _State(read_parts(Asking(cursor)), rows)

    def _delta(self, cursor: psycopg.Cursor[Any]) -> _State | None:
        """None where only a whole reading is sure to be right."""
        older, newer, _ = _changes(cursor, self._base, ())
        old = self._marked.rows
        short = [name for name in old if not _complete(old[name], newer.get(name, {}), older.get(name))]
        gone: dict[str, set[int]] = {}
        if short:
            _, _, keys = _changes(cursor, self._base, short)
            gone = {name: old[name].keys() - keys.get(name, set()) for name in short}
        if (
            newer.get("other")
            or "other" in short
            or newer.get("enum", {}).keys() & old.get("enum", {}).keys()
        ):
            return None
        rows = {
            name: {k: v for k, v in (old.get(name, {}) | newer.get(name, {})).items() if k not in gone.get(name, ())}
            if newer.get(name) or gone.get(name) else old[name]
            for name in old.keys() | newer.keys()
        }  # fmt: skip
        units = self._units(newer, gone, rows)
        return self._again(cursor, units, rows) if units is not None else None

    def _units(self, newer: Rows, gone: Mapping[str, set[int]], rows: Rows) -> set[Unit] | None:
        old = self._marked.rows
        units: set[Unit] = set()
        changed = [(name, row) for name, found in newer.items() for row in found.values()]
        changed += [(name, old[name][key]) for name, keys in gone.items() for key in keys]
        # What a row belonged to before, too: a sequence may change hands.
        changed += [(n, old[n][key]) for n, found in newer.items() for key in found if key in old.get(n, {})]
        for _, (kind, owner, other) in changed:
            if kind == 9:
                return None
            owners = [*_owners(kind, owner, (rows, old)), *((other,) if other else ())]
            units.update(
                unit for o in owners for unit in _places(0 if kind in _HANGING else kind, o, (rows, old))
            )
        return units

    def _again(self, cursor: psycopg.Cursor[Any], units: set[Unit], rows: Rows) -> _State | None:
        parts = dict(self._marked.parts)
        self.touched = {oid for kind, oid in units if kind == "r"}
        relations = [oid for kind, oid in units if kind == "r"]
        if relations:
            found = cursor.execute(_ENTANGLED, {"relations": relations}).fetchall()
            units = units | {("r", row["oid"]) for row in found}
        now = reread(Asking(cursor), units)
        for unit in units:
            before, after = parts.pop(unit, ()), now.get(unit, ())
            if before and after and _renamed(before[0], after[0]):
                return None
            if after:
                parts[unit] = after
        assert OTHERS not in units
        return _State(parts, rows)


def _changes(
    cursor: psycopg.Cursor[Any], base: str | None, wanted: Iterable[str]
) -> tuple[dict[str, tuple[int, int]], Rows, dict[str, set[int]]]:
    """catalog -> (number of older rows, sum of their keys); the newer rows; the keys of the wanted catalogs."""
    found = questions.ask_texts(cursor, "changes", {"base": base, "wanted": list(wanted)})
    older = {row["catalog"]: (row["older"], int(row["total"])) for row in found}
    newer: Rows = {
        row["catalog"]: {key: (kind, owner, other) for key, kind, owner, other in row["newer"]}
        for row in found
    }
    return older, newer, {row["catalog"]: set(row["keys"]) for row in found if row["keys"] is not None}


def _complete(old: Mapping[int, Any], newer: Mapping[int, Any], older: tuple[int, int] | None) -> bool:
    """Is every row of the mark there, untouched or written again?"""
    again = [key for key in newer if key in old]
    count, total = older or (0, 0)
    return count + len(again) == len(old) and total + sum(again) == sum(old)


def _owners(kind: int, owner: int, states: tuple[Rows, ...]) -> Iterator[int]:
    """The relations that a comment's object hangs on; the owner itself of all else."""
    if kind not in _HANGING:
        yield owner
        return
    for rows in states:
        if (row := rows.get(_HANGING[kind], {}).get(owner)) is not None:
            yield row[1]
            if row[0] == 2:
                yield -row[1]


def _places(kind: int, owner: int, states: tuple[Rows, ...]) -> Iterator[Unit]:
    """The units behind an owner: of an index its table, of a composite type's row the type."""
    if owner < 0:
        yield "t", -owner
        return
    if kind:
        yield _KINDS[kind], owner
        if kind != 2:
            return
    for rows in states:
        if (index := rows.get("index", {}).get(owner)) is not None:
            owner = index[1]
        if (row := rows.get("class", {}).get(owner)) is not None and row[0] in (1, 2):
            yield _KINDS[row[0]], row[1]
    if not kind:
        yield "r", owner


def _renamed(before: CatalogObject, after: CatalogObject) -> bool:
    """Did the unit's own object, or one of its columns, get another name?"""
    if (before.kind, before.name) != (after.kind, after.name):
        return True
    old, new = ([c["name"] for c in o.definition.get("columns", ())] for o in (before, after))
    return bool(set(old) - set(new)) and bool(set(new) - set(old))
