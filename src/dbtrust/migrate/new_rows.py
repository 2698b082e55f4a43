"""Rows that only the new schema allows, each derived from what a migration took away or widened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dbtrust.engine.postgres.attempts import not_kept
from dbtrust.engine.postgres.promises import read_promises
from dbtrust.engine.postgres.table_rows import Name, tables_named
from dbtrust.judge.candidates import fresh, harvest, literals
from dbtrust.judge.edges import constants, edges
from dbtrust.migrate.filling import Connection, Filler
from dbtrust.model.catalog import Catalog, Difference, path_of
from dbtrust.model.constraints import Constraint, Promises
from dbtrust.model.facts import Column, Relation
from dbtrust.stage.rows import Values
from dbtrust.stage.solved import SolvedRows, as_column
from dbtrust.stage.solver import Test, named

#: So many values are tried for one row.
_TRIES = 6
_WIDE = (
    "40000", "3000000000", "9300000000000000000", "123456789012345678901234567890", "0.123456789", "1e300", "1e30",
    "2024-05-06 07:08:09.123456", "2024-05-06", "infinity", "no number", '{"a": 1}', "1000", "100000", "10000000",
    "1000000000", "1000000000000",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row that was written after the up. `why` says what only the new schema allows of it; "" of an ordinary row.

    `columns` hold the values that the old schema cannot hold. `statements` are the INSERTs, its own last.
    """

    oid: int
    table: Name
    why: str
    columns: frozenset[str]
    statements: tuple[str, ...]
    values: Values

    @property
    def shown(self) -> str:
        return self.statements[-1] if self.statements else str(self.values)


def affected(differences: Sequence[Difference], before: Catalog, after: Catalog) -> set[Name]:
    """(schema, name) of the tables that the differences are about, in the old state and in the new one."""
    found: set[Name] = set()
    types: set[str] = set()
    for d in differences:
        item = after.find(d.kind, d.name) or before.find(d.kind, d.name)
        assert item is not None
        if d.kind in ("table", "constraint", "trigger", "policy", "rule"):
            found.add((item.path[0], item.path[1]))
        elif d.kind == "index":
            found.add((item.path[0], str(item.definition["table"])))
        elif d.kind == "type" and d.change == "changed":
            types.add(".".join(item.path))
    return found | (_with_types(before, types) | _with_types(after, types) if types else set())


def _with_types(catalog: Catalog, types: set[str]) -> set[Name]:
    tables = [o for o in catalog.objects if o.kind == "table"]
    return {
        (o.path[0], o.path[1])
        for o in tables
        if any(
            ".".join(path_of(c["type"].removesuffix("[]"))) in types for c in o.definition.get("columns", ())
        )
    }


def old_rules(connection: Connection, tables: Iterable[Name]) -> Promises:
    """The rules of these tables before the up. Raises psycopg.Error."""
    return read_promises(connection, tables_named(connection, tables))


def new_rows(
    connection: Connection, filler: Filler, old: Promises, tables: Iterable[Name],
    kept: Mapping[str, Collection[str]] = {},
) -> Iterator[NewRow]:  # fmt: skip
    """Inserts an ordinary row into each of the tables and then those that the old rules refuse; what came in.

    The connection is in a transaction, after the up. `kept`: columns that hold old values for the way back, by the name of
    the table; new code does not write them.
    """
    there = tables_named(connection, tables)
    if not there:
        return
    rows = filler.rows(connection, there)
    maker = _Maker(connection, filler, rows, old)
    for oid in [o for o in rows.relations if o in there]:
        relation = rows.relations[oid]
        if rows.promises.tables[oid].partition and oid in old.tables:
            continue
        first = maker.made(relation, maker.empty(relation, kept), "", maker.changed(relation))
        if first is None:
            continue
        yield first
        if oid in old.tables:
            yield from maker.forbidden(relation, first)


@dataclass(slots=True)
class _Maker:
    connection: Connection
    filler: Filler
    rows: SolvedRows
    old: Promises

    def made(
        self, relation: Relation, given: Values, why: str, columns: Iterable[str], setup: tuple[str, ...] = ()
    ) -> NewRow | None:
        """The row with these values, once the server has accepted it; `setup` is what it stands on."""
        numbers = {c.name: n for n, c in relation.columns.items()}
        mark = self.rows.mark()
        fixed = {numbers[name]: value for name, value in given.items() if name in numbers}
        values = self.filler.one(self.connection, self.rows, relation, fixed)
        if values is None:
            return None
        own = tuple(s.as_string(self.connection) for s in self.rows.inserted[mark:])
        table = (relation.schema, relation.name)
        return NewRow(relation.oid, table, why, frozenset(columns), (*setup, *own), values)

    def empty(self, relation: Relation, kept: Mapping[str, Collection[str]]) -> Values:
        """NULL in new columns that the migration keeps for itself."""
        own, before = kept.get(relation.name, ()), self.old.tables.get(relation.oid)
        there = before.relation.columns if before is not None else relation.columns
        return {
            c.name: None
            for n, c in relation.columns.items()
            if c.name in own and n not in there and not c.not_null
        }

    def changed(self, relation: Relation) -> set[str]:
        """The columns whose type or rules are others than before: what an ordinary row holds there may be new."""
        if relation.oid not in self.old.tables:
            return set()
        before = self.old.tables[relation.oid].relation
        types = {
            c.name
            for n, c in relation.columns.items()
            if n in before.columns
            and (c.type, c.labels) != (before.columns[n].type, before.columns[n].labels)
        }
        return types.union(*(rule.columns for rule in self._gone(relation, before)))

    def first(
        self, relation: Relation, options: Iterable[Values], why: str, columns: Iterable[str],
        setup: tuple[str, ...] = (),
    ) -> NewRow | None:  # fmt: skip
        """The first of the options that the server accepts."""
        for _, given in zip(range(_TRIES), options, strict=False):
            if (row := self.made(relation, given, why, columns, setup)) is not None:
                return row
        return None

    def forbidden(self, relation: Relation, first: NewRow) -> Iterator[NewRow]:
        """Rows that the table's old rules and types refuse."""
        before = self.old.tables[relation.oid].relation
        for number, column in relation.columns.items():
            was = before.columns.get(number)
            if was is not None and not column.generated:
                yield from self._of_type(relation, was, column)
        for rule in self._gone(relation, before):
            options = _OPTIONS.get(rule.kind)
            if options is not None:
                setup = first.statements if rule.kind in _PAIRS else ()
                why, given = _why(rule, relation), options(self, relation, rule, first.values)
                row = self.first(relation, given, why, rule.columns, setup)
                yield from [row] if row is not None else []

    def _gone(self, relation: Relation, before: Relation) -> Iterator[Constraint]:
        """Old rules that no new one repeats and whose columns are still there; those of the columns' domains, too."""
        now = {
            (r.kind, r.relation, r.owner if not r.relation else "", r.definition)
            for r in self.rows.promises.constraints
        }
        names = {c.name for c in relation.columns.values()}
        for rule in self.old.constraints:
            if (
                rule.broken
                or (rule.kind, rule.relation, rule.owner if not rule.relation else "", rule.definition) in now
            ):
                continue
            if rule.relation == relation.oid and set(rule.columns) <= names:
                yield rule
            elif not rule.relation:
                yield from _of_columns(rule, relation, before)

    def _of_type(self, relation: Relation, was: Column, column: Column) -> Iterator[NewRow]:
        """A value of the new type that the old one does not hold."""
        labels = [text for text in column.labels if text not in was.labels]
        if column.labels and was.labels:
            why = f"the new label in {column.name}"
            row = self.first(relation, ({column.name: text} for text in labels), why, [column.name])
        elif column.type != was.type:
            why = f"a value of {column.name} that {was.type} does not hold"
            texts = not_kept(self.connection, column.plain or column.type, was.type, _wider(was, column))
            row = self.first(relation, ({column.name: text} for text in texts), why, [column.name])
        else:
            return
        yield from [row] if row is not None else []

    def null(self, relation: Relation, rule: Constraint, base: Values) -> Iterator[Values]:
        del relation, base
        yield {rule.columns[0]: None}

    def twin(self, relation: Relation, rule: Constraint, base: Values) -> Iterator[Values]:
        """The values of a row that is there, in the columns of the rule and of its predicate."""
        names = [c.name for c in relation.columns.values()]
        wanted = [*rule.columns, *named(" ".join([rule.text, *rule.elements]), names)]
        for row in [base, *self.rows.present[relation.oid]]:
            if all(row.get(name) is not None for name in rule.columns):
                yield {name: row[name] for name in wanted if name in row}

    def broken(self, relation: Relation, rule: Constraint, base: Values) -> Iterator[Values]:
        """Values for which the server itself finds the old check false."""
        names = [c.name for c in relation.columns.values()]
        columns = frozenset(rule.columns or named(rule.text, names))
        solver = self.rows.solver(relation)
        solver.pools = {n: [*self._constants(rule, n), *solver.pools.get(n, ())] for n in names}
        for row in solver.breaking(base, Test("", rule.text, columns)):
            yield {name: row[name] for name in columns if name in row}

    @staticmethod
    def _constants(rule: Constraint, name: str) -> Sequence[str]:
        return [*harvest(f"SELECT {rule.text}").get(name, ()), *constants(rule.text)]

    def orphan(self, relation: Relation, rule: Constraint, base: Values) -> Iterator[Values]:
        """A reference that no row has."""
        columns = {c.name: c for c in relation.columns.values()}
        for place in (880, 881):
            values = {n: fresh(columns[n], place) or base.get(n) for n in rule.columns}
            if None not in values.values():
                yield values


#: Rules that two rows break together.
_PAIRS = frozenset({"unique", "primary key", "unique index", "exclude"})
_OPTIONS = {
    "not null": _Maker.null, "unique": _Maker.twin, "primary key": _Maker.twin, "unique index": _Maker.twin,
    "exclude": _Maker.twin, "check": _Maker.broken, "foreign key": _Maker.orphan,
}  # fmt: skip


def _of_columns(rule: Constraint, relation: Relation, before: Relation) -> Iterator[Constraint]:
    """A domain's rule as a rule of each column that had the domain."""
    for number, column in before.columns.items():
        now = relation.columns.get(number)
        if now is None or column.type != rule.domain:
            continue
        if rule.kind == "domain check":
            yield replace(rule, kind="check", columns=(now.name,), text=as_column(rule.text, now.name))
        else:
            yield replace(rule, kind="not null", columns=(now.name,))


def _why(rule: Constraint, relation: Relation) -> str:
    columns = ", ".join(rule.columns)
    match rule.kind:
        case "not null":
            return f"NULL in {relation.label}.{columns}"
        case "check":
            return f"a row of {relation.label} that {rule.name} refused"
        case "foreign key":
            return f"a row of {relation.label} that points at nothing ({rule.name} is gone)"
        case "exclude":
            return f"a row of {relation.label} that overlaps another ({rule.name} is gone)"
        case _:
            return f"a row of {relation.label} with the {columns} of another ({rule.name} is gone)"


def _wider(was: Column, column: Column) -> list[str]:
    """Values of the new type, those first that are just too big for the old one."""
    first: list[str] = []
    if was.length is not None:
        base = f"{column.name} "
        first += [
            (base + "x" * was.length)[: was.length + 1],
            "x" * (was.length + 1),
            "a@" + "b" * was.length + ".cc",
        ]
    return [*first, *_WIDE, *literals(column), *edges(column, ())[:20]]
