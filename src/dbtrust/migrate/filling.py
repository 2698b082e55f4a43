"""Rows for the tables of a growing history: valid ones, a few for each, with a value in every column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any

import psycopg

from dbtrust.engine.postgres.attempts import DEFERRED, truncate
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.load import load_copy, load_insert
from dbtrust.engine.postgres.promises import read_promises
from dbtrust.engine.postgres.run import execute_composed
from dbtrust.engine.postgres.table_rows import referenced_tables, stored_tables
from dbtrust.engine.postgres.trial import some_rows, whole
from dbtrust.judge.candidates import literals
from dbtrust.model.constraints import Promises
from dbtrust.model.errors import DbtrustError
from dbtrust.model.facts import Column, Relation
from dbtrust.source.data import RowSource
from dbtrust.stage.data import midnight
from dbtrust.stage.rows import Mode, Values, parents_first
from dbtrust.stage.solved import SolvedRows

Connection = psycopg.Connection[Any]
#: So many rows each table has, so many of a generator's are taken, and so many that are there are known.
ROWS, GENERATED, PARENTS = 2, 20, 60
#: Texts that tell by themselves where they came from, where the column leaves room for them.
TEXTS = frozenset({"text", "character varying", "varchar", "character", "bpchar", "citext", "name"})


@dataclass(slots=True)
class Filler:
    """Puts rows into tables. `failed` says why a table has none."""

    generators: Sequence[RowSource] = ()
    now: datetime = field(default_factory=midnight)
    failed: dict[str, str] = field(default_factory=dict[str, str])
    _made: int = 0

    def fill(self, connection: Connection, tables: Collection[int]) -> None:
        """Two rows for each of the tables (OIDs), parents first; each table's in a savepoint of its own."""
        if not tables:
            return
        for generator in self.generators:
            self._generated(connection, generator)
        rows = self.rows(connection, tables)
        for oid in parents_first(rows.relations):
            table = rows.promises.tables[oid]
            if oid in tables and not table.partition and not rows.present[oid]:
                self._two(connection, rows, table.relation)
        self._partitions(connection, rows, tables)

    def _partitions(self, connection: Connection, rows: SolvedRows, tables: Collection[int]) -> None:
        """Rows for partitions into which none of their parents' fell: what is dropped with one has to be seen."""
        for oid in tables:
            table = rows.promises.tables.get(oid)
            if table is not None and table.partition and not list(_there(connection, table.relation)):
                self._two(connection, rows, table.relation)

    def more(self, connection: Connection, tables: Collection[int]) -> None:
        """One more row for each of the tables, which has a value in the columns that were added to it."""
        rows = self.rows(connection, tables) if tables else None
        for oid in tables:
            if rows is not None and oid in rows.relations and not rows.promises.tables[oid].partition:
                self.one(connection, rows, rows.relations[oid])

    def one(
        self,
        connection: Connection,
        rows: SolvedRows,
        relation: Relation,
        given: Mapping[int, str | None] = {},
    ) -> Values | None:
        """A valid row, or None where none was found. In a transaction it is kept in a savepoint."""
        self._made += 1
        rows.templates = {**rows.templates, relation.oid: self._models(relation)}
        place, mark = len(rows.present[relation.oid]), rows.mark()
        values: Values | None = None
        kept = False
        try:
            with connection.transaction():
                execute_composed(connection, DEFERRED)
                values = rows.add(relation, min(place, 1), given)
                kept = values is not None and whole(connection)
                if not kept:
                    raise psycopg.Rollback
        except psycopg.Error as error:
            if connection.closed:
                raise
            self.failed[relation.label], kept = describe(error), False
        if not kept:
            rows.undo(mark)
            refused = rows.refused.message if rows.refused else "no row was found that its rules allow"
            self.failed.setdefault(relation.label, refused)
        return values if kept else None

    def clear(self, connection: Connection, schema: str, name: str) -> None:
        """Takes every row out of a table. Raises psycopg.Error."""
        execute_composed(connection, truncate(schema, name))

    def rows(self, connection: Connection, tables: Collection[int]) -> SolvedRows:
        """What makes rows for these tables and knows those that are there."""
        promises = _with_parents(connection, tables)
        relations = {oid: table.relation for oid, table in promises.tables.items()}
        rows = SolvedRows(connection, relations, {}, Random(1), Mode({}, 0, 0), promises=promises)
        for oid, relation in relations.items():
            rows.present[oid] += _there(connection, relation)
        return rows

    def _two(self, connection: Connection, rows: SolvedRows, relation: Relation) -> None:
        for _ in range(ROWS):
            self.one(connection, rows, relation)

    def _models(self, relation: Relation) -> list[Values]:
        """Two rows whose values differ from all that were made before."""
        number = 2 * self._made
        return [
            {c.name: _value(c, number + n) for c in relation.columns.values() if not c.generated}
            for n in range(2)
        ]

    def _generated(self, connection: Connection, generator: RowSource) -> None:
        """The project's own rows, where the table is as the generator wants it and is empty."""
        schema, _, name = generator.config.name.rpartition(".")
        config = replace(generator.config, rows=min(generator.config.rows, GENERATED))
        if ((schema or "public"), name) not in stored_tables(connection).values():
            return
        try:
            if some_rows(connection, schema or "public", name, [], 1):
                return
            with connection.transaction():
                if generator.sql is not None:
                    load_insert(connection, generator.sql, config, self.now)
                else:
                    source = replace(generator, config=config)
                    load_copy(connection, config.name, source.rows(self.now), source.location)
        except (DbtrustError, psycopg.Error):
            if connection.closed:
                raise


def _with_parents(connection: Connection, tables: Collection[int]) -> Promises:
    """The rules of these tables and of all that their foreign keys lead to."""
    wanted = referenced_tables(connection, tables)
    while True:
        promises = read_promises(connection, wanted)
        targets = {key.target for t in promises.tables.values() for key in t.relation.foreign_keys}
        if targets <= wanted:
            return promises
        wanted |= targets


def _there(connection: Connection, relation: Relation) -> Iterable[Values]:
    names = [c.name for c in relation.columns.values() if not c.generated]
    return some_rows(connection, relation.schema, relation.name, names, PARENTS) if names else ()


def _value(column: Column, number: int) -> str | None:
    """A value that tells its row and column apart, where the type has room for one."""
    if column.labels:
        return column.labels[number % len(column.labels)]
    if column.base in TEXTS:
        text = f"{column.name} {number}"
        return text if column.length is None or len(text) <= column.length else str(number)[-column.length :]
    if column.category == "N" and column.base not in ("money", "oid"):
        return str(number % 90 + 1)
    if column.base == "uuid":
        return f"00000000-0000-4000-8000-{number:012d}"
    if column.base in ("json", "jsonb"):
        return f'{{"n": {number}}}'
    if column.base == "boolean":
        return "true" if number % 2 else "false"
    if column.base == "date" or column.base.startswith("timestamp"):
        return f"{2001 + number % 20:04d}-{1 + number % 12:02d}-{1 + number % 28:02d}"
    if column.category == "R":
        whole = column.base in ("int4range", "int8range", "numrange")
        start = (
            f"{number * 10},{number * 10 + 5}" if whole else f"{2001 + number}-01-01,{2001 + number}-02-01"
        )
        return f"[{start})"
    found = literals(column)
    return found[number % len(found)] if found else None
