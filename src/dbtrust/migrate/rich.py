"""Rows that show what a migration loses: fractions, times of day, odd texts, NULL, twins, and what its own WHERE speaks of."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from psycopg import sql

from dbtrust.engine.postgres.attempts import readable
from dbtrust.engine.postgres.table_rows import Name, rows_of, tables_named
from dbtrust.engine.postgres.trial import texts_of
from dbtrust.judge.assigned import Seed, assigned, seeds
from dbtrust.judge.bodies import Part, parts
from dbtrust.judge.candidates import fresh, harvest
from dbtrust.judge.statements import quoted
from dbtrust.judge.touched import Join, RowCondition, conditions, tables_in
from dbtrust.migrate import hostile
from dbtrust.migrate.filling import TEXTS, Connection, Filler
from dbtrust.migrate.new_rows import affected
from dbtrust.model.catalog import Catalog, Difference, path_of
from dbtrust.model.facts import Column, Relation
from dbtrust.model.project import Migration
from dbtrust.stage.rows import Values, parents_first
from dbtrust.stage.solved import SolvedRows, key_columns
from dbtrust.stage.solver import Test

#: Rows that the scripts themselves name: with the constants that they write, and those that an INSERT finds there.
NAMED = ("seeded", "assigned")
#: The kinds of rows, in the order in which they are put in.
PLAIN = ("mixed", "extreme", "null", "twin", "met", "matching", *NAMED)
VARIANTS = (*PLAIN, *hostile.VARIANTS)
#: Those whose columns are tried one by one where a table refuses them all at once.
_BY_COLUMN = frozenset({"mixed", "extreme", "null", "matching", *hostile.VARIANTS})
#: What a table that a writing statement only reads gets.
_READ = ("met", "matching")
#: So many columns are set to NULL one by one where a table refuses them all at once; so many values of a WHERE are tried,
#: and for so many conditions a row is solved for.
_SINGLE, _MATCHING, _ASSIGNED, _MET = 12, 12, 12, 12
#: So many rows of a kind a table gets: a script may have thousands of statements.
_ROWS = 60
#: A long text; the scripts may name longer ones, of up to so many characters.
_LONG, _LONGEST = "Xy Z" * 75, 20_000
_LENGTH = re.compile(r"\b\d{3,5}\b")
_NAME = r'((?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*))?)'
_INSERTS = re.compile(
    rf"\bINSERT\s+INTO\s+{_NAME}[^;]*?\b(?:ON\s+CONFLICT|NOT\s+EXISTS|EXCEPT)\b[^;]*", re.IGNORECASE
)
_WRITES = re.compile(rf"\b(?:UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+(?:ONLY\s+)?{_NAME}[^;]*", re.IGNORECASE)
#: Statements that read or write rows, and those that may write some: a SELECT may call a function.
_DATA = re.compile(
    r"\s*(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|CALL|CREATE\s[^;(]*?\bTABLE\s[^;]*?\bAS\b)", re.IGNORECASE
)
_MAY_WRITE = re.compile(r"\s*(?:SELECT|CALL)\b|\b(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


def aimed_at(
    migration: Migration, differences: Collection[Difference], before: Catalog, after: Catalog
) -> set[Name]:
    """The tables that were there before and that the up changes or writes rows of."""
    found = affected(tuple(differences), before, after)
    assert migration.up is not None
    named = {path_of(match[1])[-1] for match in _WRITES.finditer(migration.up.sql)}
    there = [o.path for o in before.objects if o.kind == "table"]
    found |= {(path[0], path[1]) for path in there if path[1] in named}
    return {(path[0], path[1]) for path in there if (path[0], path[1]) in found}


def reckoned_with(migration: Migration, before: Catalog) -> set[Name]:
    """The tables that were there before and into which the up inserts rows that may be there already."""
    assert migration.up is not None
    named = {path_of(match[1])[-1] for match in _INSERTS.finditer(migration.up.sql)}
    return {(o.path[0], o.path[1]) for o in before.objects if o.kind == "table" and o.path[1] in named}


def rewritten(
    migration: Migration, differences: Collection[Difference], before: Catalog, after: Catalog
) -> set[Name]:
    """Those of them whose values may become others: a column changes its type or goes, or a script writes to it."""
    changed = [
        d for d in differences if d.kind == "type" or any(_changes(*field) for field in d.fields.items())
    ]
    return aimed_at(migration, changed, before, after)


def _changes(key: str, values: tuple[object, object]) -> bool:
    """Is a field of a difference a column that goes, or that gets another type, collation or expression?"""
    words = key.split(" ")
    return words[0] == "column" and (values[1] is None if len(words) == 2 else words[-1] in _CHANGED)


_CHANGED = frozenset({"type", "collation", "generated"})


def parts_of(migration: Migration) -> Sequence[Part]:
    """The statements of the up; those of a text that the grammar does not read as far as they can be told apart."""
    assert migration.up is not None
    text = migration.up.sql
    return parts(text) or [Part(match[0]) for match in _WRITES.finditer(text)]


def _data_parts(migration: Migration) -> list[Part]:
    """The statements that write or read rows; none where none of them may write any."""
    found = [part for part in parts_of(migration) if _DATA.match(part.text)]
    return found if any(_MAY_WRITE.search(part.text) for part in found) else []


def conditions_of(migration: Migration) -> Iterator[tuple[Part, RowCondition]]:
    """Each UPDATE, DELETE and MERGE of the up, and what it looks for."""
    for part in parts_of(migration):
        yield from ((part, one) for one in conditions(part.text))


def read_by(migration: Migration, before: Catalog) -> set[Name]:
    """The tables that were there before and that statements of the up speak of which write or read rows."""
    named = {name for part in _data_parts(migration) for name in tables_in(part.text)}
    return {(o.path[0], o.path[1]) for o in before.objects if o.kind == "table" and o.path[1] in named}


@dataclass(frozen=True, slots=True)
class Aim:
    """Which tables get odd rows.

    Hostile values go into those of `rewritten` alone: nowhere else can they be lost. Those of `reckoned` get no rows but
    those that the scripts name, those of `read` no rows but such as conditions look for.
    """

    tables: Collection[Name] = ()
    rewritten: Collection[Name] = ()
    reckoned: Collection[Name] = ()
    read: Collection[Name] = ()

    @classmethod
    def of(
        cls, migration: Migration, differences: Collection[Difference], before: Catalog, after: Catalog
    ) -> Aim:
        """What the differences and the text of the up tell."""
        tables = aimed_at(migration, differences, before, after)
        reckoned = reckoned_with(migration, before) - tables
        read = read_by(migration, before) - tables - reckoned
        return cls(tables | reckoned | read, rewritten(migration, differences, before, after), reckoned, read)


@dataclass(slots=True)
class Enricher:
    """Puts rows of the `variants` into tables, on a connection that is in a state to be thrown away."""

    connection: Connection
    filler: Filler
    migration: Migration
    variants: Collection[str]
    aim: Aim

    def enrich(self) -> None:
        """What a table refuses is left out, column by column."""
        there = tables_named(self.connection, self.aim.tables)
        if not there or not self.variants:
            return
        told, rows = dict(self.filler.failed), self.filler.rows(self.connection, there)
        for oid in parents_first(rows.relations):
            if oid in there and not rows.promises.tables[oid].partition and rows.present[oid]:
                self._table(rows, rows.relations[oid])
        self.filler.failed = told

    def _table(self, rows: SolvedRows, relation: Relation) -> None:
        numbers = {c.name: n for n, c in relation.columns.items()}
        name = (relation.schema, relation.name)
        rewritten, inserted = name in self.aim.rewritten, name in self.aim.reckoned
        read = name in self.aim.read
        for place, variant in enumerate(v for v in VARIANTS if v in self.variants):
            if (variant in hostile.VARIANTS and not rewritten) or (inserted and variant not in NAMED):
                continue
            if read and variant not in _READ:
                continue
            if variant == "met":
                self._met(rows, relation)
                continue
            for wanted in islice(self._wanted(variant, rows, relation, place), _ROWS):
                given = {numbers[name]: value for name, value in wanted.items()}
                if variant in _BY_COLUMN:
                    self._one(rows, relation, given)
                else:
                    self.filler.one(self.connection, rows, relation, given)

    def _wanted(self, variant: str, rows: SolvedRows, relation: Relation, place: int) -> Iterator[Values]:
        """Values that a row is to have, by column; the others are chosen as always."""
        free = self._free(rows, relation)
        if variant in ("mixed", "extreme"):
            found = {name: _VALUES[variant](column, place) for name, column in free.items()}
            yield {name: value for name, value in found.items() if value is not None}
            if variant == "extreme":
                yield from self._beyond(free)
        elif variant in hostile.VARIANTS:
            read = {
                name: self._read(column, hostile.hostile(column, variant)) for name, column in free.items()
            }
            yield {name: value for name, value in read.items() if value is not None}
        elif variant == "null":
            yield {c.name: None for c in relation.columns.values() if not (c.not_null or c.generated)}
        elif variant == "twin":
            first, alone = rows.present[relation.oid][0], self._keys(rows, relation)
            twin = {name: value for name, value in first.items() if name not in alone}
            yield twin | self._fresh(relation, alone, len(rows.present[relation.oid]))
        elif variant == "assigned":
            yield from self._assigned(relation)
        elif variant == "seeded":
            yield from self._seeded(relation)
        else:
            yield from self._matching(relation)

    def _beyond(self, free: Mapping[str, Column]) -> Iterator[Values]:
        """Texts that are longer than any length that the scripts name."""
        halves = (half.sql for half in (self.migration.up, self.migration.down) if half is not None)
        named = [int(number) for half in halves for number in _LENGTH.findall(half)]
        length = max((n for n in named if n <= _LONGEST), default=0) + 11
        if length > len(_LONG):
            text = (_LONG * (length // len(_LONG) + 1))[:length]
            yield {n: text for n, column in free.items() if column.base in TEXTS and column.length is None}

    def _read(self, column: Column, texts: Sequence[str]) -> str | None:
        """The first of the texts that the server reads as a value of the column's type; a single one is just tried."""
        if len(texts) > 1:
            texts = readable(self.connection, column.plain or column.type, texts)
        return texts[0] if texts else None

    def _matching(self, relation: Relation) -> Iterator[Values]:
        """What the conditions of the up compare the columns with, in every statement that speaks of the table."""
        names = {c.name for c in relation.columns.values() if not c.generated}
        for part in _data_parts(self.migration):
            if relation.name not in tables_in(part.text):
                continue
            constants = {n: v for n, v in harvest(part.text).items() if n in names and v}
            for place in range(max(map(len, constants.values()), default=0))[:_MATCHING]:
                yield {name: values[place % len(values)] for name, values in constants.items()}

    def _met(self, rows: SolvedRows, relation: Relation) -> None:
        """Rows that the up's conditions are true of, with odd values beside what they ask for."""
        names = {c.name for c in relation.columns.values()}
        numbers = {c.name: n for n, c in relation.columns.items()}
        own = ((p, c) for p, c in conditions_of(self.migration) if c.table == relation.name)
        for part, condition in islice(own, _MET):
            for join in [j for j in condition.joins if j.column in names]:
                for value in self._joined(join, relation):
                    self.filler.one(self.connection, rows, relation, {numbers[join.column]: value})
            if condition.columns and condition.columns <= names:
                known = texts_of(self.connection, condition.constants)
                for text, columns, values in self._asked(part, condition, rows, relation):
                    rows.demand(relation, Test("", text, columns, wanted=True), known)
                    self._one(rows, relation, {numbers[name]: value for name, value in values.items()})
                rows.demand(relation, None)

    def _one(self, rows: SolvedRows, relation: Relation, given: Mapping[int, str | None]) -> None:
        """A row with these values, or a row for each of them where the table refuses them together."""
        if self.filler.one(self.connection, rows, relation, given) is None and len(given) > 1:
            for number in list(given)[:_SINGLE]:
                self.filler.one(self.connection, rows, relation, {number: given[number]})

    def _asked(
        self, part: Part, condition: RowCondition, rows: SolvedRows, relation: Relation
    ) -> Iterator[tuple[str, frozenset[str], Mapping[str, str | None]]]:
        """(expression that must be true, its columns, values that the other columns get)."""
        text, columns, free = condition.text, condition.columns, self._free(rows, relation)
        given_back = self._given_back(relation)
        written = [n for n in condition.written or () if n not in columns]
        apart = [(n, value) for n in written for value in given_back.get(n, ())[:3]]
        if apart:
            said = " AND ".join(f"{quoted(n)} IS DISTINCT FROM {_literal(value)}" for n, value in apart)
            yield f"({text}) AND {said}", columns | {n for n, _ in apart}, {}
        yield text, columns, {}
        others = {n: c for n, c in free.items() if n not in columns}
        for variant in ("mixed", "extreme", "large"):
            found = {name: _VALUES[variant](column, 1) for name, column in others.items()}
            if values := {name: value for name, value in found.items() if value is not None}:
                yield text, columns, values
        constants = {n: v for n, v in harvest(part.text).items() if n in others and v}
        for place in range(min(3, max(map(len, constants.values()), default=0))):
            yield text, columns, {name: values[place % len(values)] for name, values in constants.items()}

    def _given_back(self, relation: Relation) -> dict[str, list[str]]:
        """Column -> what the down's UPDATEs write there: a row that had it before does not show that it is written."""
        down, found = self.migration.down, dict[str, list[str]]()
        for part in parts(down.sql) if down is not None else ():
            if relation.name in tables_in(part.text):
                for name, values in assigned(part.text).items():
                    found.setdefault(name, []).extend(values)
        return found

    def _joined(self, join: Join, relation: Relation) -> Iterator[str]:
        """Values that the other side of an equality has."""
        yield from join.constants[:_SINGLE]
        if join.table:
            name = (join.schema or relation.schema, join.table)
            table = rows_of(self.connection, [name]).get(name)
            found = [row.get(join.other) for row in table.rows[:3]] if table is not None else []
            yield from (value for value in found if value is not None)

    def _assigned(self, relation: Relation) -> Iterator[Values]:
        """What the up writes and what the down's conditions speak of: values that a row may have had all along."""
        names = {c.name for c in relation.columns.values() if not c.generated}
        assert self.migration.up is not None
        for script in (self.migration.up, self.migration.down):
            for match in _WRITES.finditer(script.sql if script is not None else ""):
                if path_of(match[1])[-1] != relation.name:
                    continue
                values = {n: v for n, v in harvest(match[0]).items() if n in names and v}
                if script is self.migration.up:
                    written = {n: v for n, v in assigned(match[0]).items() if n in names}
                    values = values | written if written else {}
                for place in range(max(map(len, values.values()), default=0))[:_ASSIGNED]:
                    yield {n: v[place % len(v)] for n, v in values.items()}

    def _seeded(self, relation: Relation) -> Iterator[Values]:
        """The rows that an INSERT of the up reckons with, as if they had been there before it."""
        columns = [c.name for _, c in sorted(relation.columns.items())]
        assert self.migration.up is not None
        for match in _INSERTS.finditer(self.migration.up.sql):
            if path_of(match[1])[-1] != relation.name:
                continue
            for seed in seeds(match[0]):
                for row in [*seed.rows, *self._of_source(relation, seed)]:
                    found = {
                        n: v for n, v in zip(seed.columns or columns, row, strict=False) if v is not None
                    }
                    yield {n: v for n, v in found.items() if n in columns and (not seed.key or n in seed.key)}

    def _of_source(self, relation: Relation, seed: Seed) -> Iterator[Sequence[str | None]]:
        """A row of the table that an INSERT … SELECT reads, over the columns that both have."""
        if seed.source is None:
            return
        schema, name = seed.source[0] or relation.schema, seed.source[1]
        table = rows_of(self.connection, [(schema, name)]).get((schema, name))
        names = seed.columns or [c.name for _, c in sorted(relation.columns.items())]
        for row in table.rows[:1] if table is not None else ():
            yield [row.get(column) for column in names]

    @staticmethod
    def _keys(rows: SolvedRows, relation: Relation) -> set[str]:
        """One column of each unique key that has to differ for a row to be another."""
        own = {relation.columns[n].name for key in relation.foreign_keys for n in key.columns}
        found: set[str] = set()
        for key in relation.keys:
            names = key_columns(relation, key)
            if names and not found & set(names):
                found.add(next((n for n in reversed(names) if n not in own), names[-1]))
        del rows
        return found

    @staticmethod
    def _fresh(relation: Relation, names: Collection[str], number: int) -> Values:
        columns = {c.name: c for c in relation.columns.values()}
        found = {name: fresh(columns[name], 7000 + number) for name in names if not columns[name].generated}
        return {name: value for name, value in found.items() if value is not None}

    @staticmethod
    def _free(rows: SolvedRows, relation: Relation) -> Mapping[str, Column]:
        """The columns that are in no key and no foreign key."""
        bound = {n for key in relation.foreign_keys for n in key.columns}
        keyed = {name for key in relation.keys for name in key_columns(relation, key)}
        del rows
        return {
            c.name: c
            for n, c in relation.columns.items()
            if n not in bound and c.name not in keyed and not c.generated and not c.labels and not c.identity
        }


def _mixed(column: Column, place: int) -> str | None:
    """A fraction to the last digit, a time of day, a text in mixed case with blanks around, an untidy document."""
    if column.base in TEXTS:
        return _cut(f"  Mixed CASE {column.name} {place} ", column)
    if column.base in ("numeric", "real", "double precision", "money"):
        return _fraction(column)
    if column.base in _NUMBERS:
        return "-7"
    if column.base == "date":
        return "1999-12-31"
    if column.base.startswith("timestamp"):
        return "1999-12-31 23:58:57.123456+00"
    if column.base.startswith("time "):
        return "23:58:57.123456"
    if column.base in ("json", "jsonb"):
        return '{ "b":1, "a" : 2,  "b": 3.10 }'
    return "false" if column.base == "boolean" else None


def _extreme(column: Column, place: int) -> str | None:
    """The longest text, the largest number, a far date, an empty document."""
    del place
    if column.base in TEXTS:
        return _LONG if column.length is None else ("Xy Z" * column.length)[: column.length]
    if column.base == "numeric":
        precision, scale = _digits(column)
        whole = ("9" * (precision - scale))[:-1] + "8" * (precision > scale)
        return f"-{whole}.{'9' * scale}".removesuffix(".") if precision else "-98765432109876543.123456789"
    if column.base in _NUMBERS:
        return _NUMBERS[column.base]
    if column.base in ("real", "double precision"):
        return "-1.5e10"
    if column.base == "date":
        return "9999-12-30"
    if column.base.startswith("timestamp"):
        return "9999-12-30 12:34:56.654321+00"
    return "[]" if column.base in ("json", "jsonb") else "true" if column.base == "boolean" else None


#: The largest value of each type of whole numbers.
_NUMBERS = {"smallint": "32767", "integer": "2147483647", "bigint": "9223372036854775807"}


def _large(column: Column, place: int) -> str | None:
    """A large positive number."""
    if column.base in ("real", "double precision"):
        return "1.5e10"
    number = column.base == "numeric" or column.base in _NUMBERS
    return (_extreme(column, place) or "").removeprefix("-") if number else None


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()


_VALUES = {"mixed": _mixed, "extreme": _extreme, "large": _large}


def _cut(text: str, column: Column) -> str:
    return text if column.length is None else text[: column.length]


def _fraction(column: Column) -> str:
    """12.34 for a scale of two; as few digits before the point as the precision leaves."""
    if column.base != "numeric":
        return {"money": "1.25", "double precision": "0.30000000000000004", "real": "0.30000004"}[column.base]
    precision, scale = _digits(column)
    if not precision:
        return "1234.123456789012"
    whole = "12"[: max(0, precision - scale)] or "0"
    return f"{whole}.{'3456789' * 20}"[: len(whole) + 1 + scale].removesuffix(".")


def _digits(column: Column) -> tuple[int, int]:
    """Precision and scale; zeros where none is declared."""
    match = re.search(r"numeric\((\d+),\s*(-?\d+)\)", column.plain or column.type)
    return (int(match[1]), max(0, int(match[2]))) if match else (0, 0)
