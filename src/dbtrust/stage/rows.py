"""Valid rows for the tables of a query, found by trying: what the server refuses is mended from what it says.

Everything happens in a transaction that the caller rolls back. Values are texts that the server reads as literals of
the column's type, so the INSERTs that are shown are those that ran.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import insert_statement, try_insert
from dbtrust.judge.candidates import fresh, literals
from dbtrust.model.facts import Column, ForeignKey, Relation

Values = dict[str, str | None]
#: How often a refused row is mended before it is given up.
REPAIRS = 12


@dataclass(frozen=True, slots=True)
class Mode:
    """How one trial fills its tables: rows of each, how often NULL is tried, how often rows share linked values."""

    counts: Mapping[int, int]
    nulls: float
    share: float
    plain: bool = True


@dataclass(slots=True)
class Rows:
    """The rows of one trial. `linked` gives the values that a column must have to meet the query's
    conditions, the n-th for the n-th row."""

    connection: psycopg.Connection[Any]
    relations: Mapping[int, Relation]
    pools: Mapping[str, Sequence[str]]
    random: Random
    mode: Mode
    linked: Mapping[tuple[int, int], Sequence[str]] = field(
        default_factory=dict[tuple[int, int], "Sequence[str]"]
    )
    templates: Mapping[int, Sequence[Values]] = field(default_factory=dict[int, "Sequence[Values]"])
    inserted: list[sql.Composed] = field(default_factory=list[sql.Composed])
    present: defaultdict[int, list[Values]] = field(
        default_factory=lambda: defaultdict[int, list[Values]](list)
    )
    _number: int = 0

    def fill(self) -> None:
        """Inserts the rows of every table that the mode wants, parents first."""
        for oid in parents_first(self.relations):
            for place in range(self.mode.counts.get(oid, 0)):
                self.add(self.relations[oid], place)

    def add(
        self, relation: Relation, place: int, given: Mapping[int, str | None] | None = None, depth: int = 0
    ) -> Values | None:
        """One valid row, or None. `given` fixes columns by attribute number; `depth` counts parents made for it."""
        values = self._first(relation, place)
        for number, value in (given or {}).items():
            values[relation.columns[number].name] = value
        for key in relation.foreign_keys:
            self._refer(relation, key, values, depth)
        for attempt in range(REPAIRS):
            statement = row_statement(relation, values)
            refused = try_insert(self.connection, statement)
            if refused is None:
                self.inserted.append(statement)
                self.present[relation.oid].append(values)
                return values
            if not self._mend(relation, values, refused, attempt, depth):
                return None
        return None

    def _first(self, relation: Relation, place: int) -> Values:
        templates = self.templates.get(relation.oid, ())
        if templates and not self.mode.plain and self.random.random() < 0.5:
            values = dict(self.random.choice(list(templates)))
            for column in relation.columns.values():
                if not column.not_null and column.name in values and self.random.random() < self.mode.nulls:
                    values[column.name] = None
        else:
            values = {
                c.name: self._value(relation, n, place)
                for n, c in relation.columns.items()
                if not c.generated
            }
        for number, column in relation.columns.items():
            texts = self.linked.get((relation.oid, number))
            if texts and not column.generated and (place == 0 or self.random.random() < self.mode.share):
                values[column.name] = texts[place % len(texts)]
        return values

    def _value(self, relation: Relation, number: int, place: int) -> str | None:
        column = relation.columns[number]
        if not column.not_null and self.random.random() < self.mode.nulls:
            return None
        found = self._literals(column)
        if place and self._told_apart(relation, number):
            self._number += 1
            return fresh(column, self._number) or self.random.choice(found)
        return found[0] if self.mode.plain else self.random.choice(found)

    def _told_apart(self, relation: Relation, number: int) -> bool:
        """Should later rows differ here? Always in a key of its own, now and then in one of several columns."""
        sizes = [len(key.columns) for key in relation.keys if number in key.columns]
        return any(self.random.random() < 1 / size for size in sizes)

    def _literals(self, column: Column) -> list[str]:
        return literals(column, self.pools.get(column.name, ()))

    def _refer(self, relation: Relation, key: ForeignKey, values: Values, depth: int) -> None:
        """Points a foreign key at a row that is there, or at a new one, or at nothing."""
        columns = [relation.columns[n] for n in key.columns]
        loose = all(not c.not_null for c in columns)
        if loose and any(values.get(c.name) is None for c in columns):
            return
        parent = self.relations.get(key.target)
        row = self._parent(relation, key, values, depth)
        if row is None or parent is None:
            if loose:
                values.update({c.name: None for c in columns})
            return
        for column, number in zip(columns, key.target_columns, strict=True):
            values[column.name] = row.get(parent.columns[number].name)

    def _parent(self, relation: Relation, key: ForeignKey, values: Values, depth: int) -> Values | None:
        parent = self.relations.get(key.target)
        if parent is None:
            return None
        names = [parent.columns[n].name for n in key.target_columns]
        wanted = [values.get(relation.columns[n].name) for n in key.columns]
        there = self.present[parent.oid]
        same = [row for row in there if [row.get(n) for n in names] == wanted]
        if same or (there and self.random.random() < 0.7):
            return (same or there)[-1 if same else self.random.randrange(len(there))]
        if parent.oid == relation.oid:
            return values  # A row may refer to itself.
        if depth >= 6:
            return there[0] if there else None
        return self.add(parent, len(there), dict(zip(key.target_columns, wanted, strict=True)), depth + 1)

    def _mend(self, relation: Relation, values: Values, refused: Failure, attempt: int, depth: int) -> bool:
        """Changes what the server's error is about; False where nothing can be done."""
        if refused.sqlstate == "23503":
            broken = [key for key in relation.foreign_keys if key.name == refused.constraint]
            for key in broken:
                self._refer(relation, key, values, depth)
            return bool(broken)
        columns = self._blamed(relation, refused)
        for column in columns:
            unlike = fresh(column, self.random.randrange(1, 800)) if refused.sqlstate == "23505" else None
            values[column.name] = unlike or self._other(relation, column, refused, attempt)
        return bool(columns)

    def _other(self, relation: Relation, column: Column, refused: Failure, attempt: int) -> str | None:
        templates = self.templates.get(relation.oid, ())
        if templates and attempt % 3 == 2:
            return self.random.choice(list(templates)).get(column.name)
        if not column.not_null and refused.sqlstate != "23502" and self.random.random() < 0.2:
            return None
        return self.random.choice(self._literals(column))

    def _blamed(self, relation: Relation, refused: Failure) -> list[Column]:
        """The columns that an error is about; any two where it does not say."""
        columns = [c for c in relation.columns.values() if not c.generated]
        by_number = relation.columns
        if refused.column:
            found = [c for c in columns if c.name == refused.column]
        elif refused.constraint is not None and refused.constraint in relation.checks:
            found = [by_number[n] for n in relation.checks[refused.constraint][0] if n in by_number]
        elif refused.sqlstate == "23P01":
            found = [c for c in columns if c.category == "R"]
        elif refused.datatype:
            found = [c for c in columns if c.type.split(".")[-1].strip('"') == refused.datatype]
        else:
            keys = [key for key in relation.keys if key.name == refused.constraint]
            found = [by_number[n] for key in keys for n in key.columns if n in by_number]
        found = [c for c in found if not c.generated]
        return found or self.random.sample(columns, min(2, len(columns)))


def row_statement(relation: Relation, values: Values) -> sql.Composed:
    """The INSERT of a row; a NULL that the column would get anyway is left out."""
    columns = {c.name: c for c in relation.columns.values()}
    row = {
        name: value
        for name, value in values.items()
        if value is not None or columns[name].default is not None
    }
    identity = any(columns[name].identity == "a" for name in row)
    return insert_statement(relation.schema, relation.name, row, identity=identity)


def parents_first(relations: Mapping[int, Relation]) -> list[int]:
    """OIDs so that a table comes after those that its foreign keys name; cycles are cut anywhere."""
    order: dict[int, None] = {}
    seen: set[int] = set()
    for start in sorted(relations):
        waiting = [(start, False)]
        while waiting:
            oid, done = waiting.pop()
            if done:
                order[oid] = None
            elif oid in relations and oid not in seen:
                seen.add(oid)
                waiting.append((oid, True))
                waiting += [(key.target, False) for key in reversed(relations[oid].foreign_keys)]
    return list(order)
