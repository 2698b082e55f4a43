"""Valid rows whose values a solver chose: checks of several columns, keys and foreign keys are kept from the start."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import try_insert
from dbtrust.judge.candidates import fresh, harvest
from dbtrust.judge.edges import constants
from dbtrust.model.constraints import Constraint, Promises
from dbtrust.model.facts import Column, ForeignKey, Key, Relation
from dbtrust.model.tree import walk
from dbtrust.stage.rows import REPAIRS, Rows, Values, row_statement
from dbtrust.stage.solver import Change, Solver, Test, named, written

#: So many combinations of rows of the parents are kept for columns that several foreign keys share.
_COMBINATIONS = 60
#: Parents that are made for a row, at most so many above one another.
_DEPTH = 8
#: So often a refused row is given another parent.
_PARENTS = 3
#: A CHECK or NOT NULL over values that have to stay: no other column mends it.
_OF_VALUES = ("23514", "23502")
_VALUE = re.compile(r"(?<![\w$'\"])VALUE(?![\w$'\"])")


@dataclass(frozen=True, slots=True)
class Made:
    """A row that was inserted."""

    table: int
    values: Values
    statement: sql.Composed


@dataclass(slots=True)
class SolvedRows(Rows):
    """Rows of a database whose rules are known; `skipped` are the constraints that no longer stand, by (table, name).

    `refused` is the server's last word about a row that was given up.
    """

    promises: Promises = field(default_factory=Promises)
    skipped: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    refused: Failure | None = None
    rules: defaultdict[int, list[Constraint]] = field(
        default_factory=lambda: defaultdict[int, list[Constraint]](list)
    )
    #: What rows of a table have to be besides valid.
    demands: dict[int, Test] = field(default_factory=dict[int, Test])
    #: The table of each row in `inserted`.
    _tables: list[int] = field(default_factory=list[int])
    _known: dict[tuple[str, tuple[str, ...]], list[str]] = field(
        default_factory=dict[tuple[str, tuple[str, ...]], list[str]]
    )
    _solvers: dict[int, Solver] = field(default_factory=dict[int, Solver])
    _open: list[tuple[int, Values]] = field(default_factory=list[tuple[int, Values]])

    def __post_init__(self) -> None:
        for constraint in self.promises.constraints:
            self.rules[constraint.relation].append(constraint)

    def mark(self) -> int:
        """Where `undo` goes back to."""
        return len(self.inserted)

    def undo(self, mark: int) -> list[Made]:
        """Forgets the rows since `mark`, which the caller has rolled back; what they were."""
        gone: list[Made] = []
        for oid, statement in reversed(list(zip(self._tables[mark:], self.inserted[mark:], strict=True))):
            gone.insert(0, Made(oid, self.present[oid].pop(), statement))
        del self.inserted[mark:], self._tables[mark:]
        return gone

    def there(self, made: Made) -> None:
        """A row that the caller has inserted again."""
        self.present[made.table].append(made.values)
        self.inserted.append(made.statement)
        self._tables.append(made.table)

    def forget(self, relation: Relation) -> None:
        """The solver of one table is no longer needed."""
        self._solvers.pop(relation.oid, None)

    def demand(self, relation: Relation, test: Test | None, values: Sequence[str] = ()) -> None:
        """From now on rows of the table are to be what the test wants, with `values` to choose from; None: only valid."""
        self.forget(relation)
        self.demands.pop(relation.oid, None)
        if test is not None:
            self.demands[relation.oid] = test
            self.pools = {**self.pools, **dict.fromkeys(test.columns, values)}

    def skip(self, relation: int, name: str) -> None:
        self.skipped.add((relation, name))

    def stand(self, relation: int, name: str) -> None:
        """What was skipped counts again."""
        self.skipped.discard((relation, name))

    def add(
        self, relation: Relation, place: int, given: Mapping[int, str | None] | None = None, depth: int = 0
    ) -> Values | None:
        """One valid row, or None; as `Rows.add`, but what is given stays as it is."""
        names = {relation.columns[number].name: value for number, value in (given or {}).items()}
        values = self._start(relation, place) | names
        self._open.append((relation.oid, values))
        try:
            self._parents(relation, values, depth, frozenset(names), place)
            return self._insert(relation, values, frozenset(names), place, depth)
        finally:
            self._open.pop()

    def _start(self, relation: Relation, place: int) -> Values:
        templates = self.templates.get(relation.oid, ())
        if place < len(templates):
            return dict(templates[place])
        solver = self.solver(relation)
        values: Values = {}
        for number, column in relation.columns.items():
            if not column.generated:
                options = solver.options(column)
                values[column.name] = options[0] if options else None
                if place and any(number in key.columns for key in relation.keys):
                    values[column.name] = (
                        fresh(column, place) or options[place % len(options)] if options else None
                    )
        return values

    def _insert(
        self, relation: Relation, values: Values, fixed: frozenset[str], place: int, depth: int
    ) -> Values | None:
        for attempt in range(REPAIRS):
            if attempt == 0 or self.refused is None or self.refused.sqlstate != "23503":
                solved = self.solver(relation, place).satisfied(values, fixed)
                values.update(solved)
            statement = row_statement(relation, values)
            self.refused = try_insert(self.connection, statement)
            if self.refused is None:
                self.inserted.append(statement)
                self._tables.append(relation.oid)
                self.present[relation.oid].append(dict(values))
                return values
            if not self._mended(relation, values, self.refused, fixed, depth, attempt):
                return None
        return None

    def solver(self, relation: Relation, place: int = 0) -> Solver:
        """The solver of a table, with the rows that are there now."""
        if relation.oid not in self._solvers:
            tests, pools = self._tests(relation), self._pools(relation)
            table = self.promises.tables[relation.oid]
            self._solvers[relation.oid] = Solver(
                self.connection, table, tests, pools, known=self._known, every=tests
            )
        solver = self._solvers[relation.oid]
        solver.tests = [t for t in solver.every if (relation.oid, t.name) not in self.skipped]
        solver.groups = self.groups(relation, place)
        solver.taken = self._taken(relation)
        return solver

    def _tests(self, relation: Relation) -> list[Test]:
        names = [column.name for column in relation.columns.values()]
        tests = [
            Test(name, text, frozenset(relation.columns[n].name for n in numbers if n in relation.columns))
            for name, (numbers, text, _) in relation.checks.items()
        ]
        for column in relation.columns.values():
            for text in self._of_domain(column):
                tests.append(Test("", as_column(text, column.name), frozenset({column.name})))
        tests += [self.demands[relation.oid]] if relation.oid in self.demands else []
        bound = self.promises.tables[relation.oid].bound
        if bound:
            tests.append(Test("", bound, frozenset(named(bound, names)), wanted=True))
        return tests

    def _of_domain(self, column: Column) -> Sequence[str]:
        return self.promises.domains.get(re.sub(r"\(.*\)", "", column.type), ()) if column.domain else ()

    def _pools(self, relation: Relation) -> dict[str, list[str]]:
        """Column -> the constants that its rules speak of, those that are compared with it first."""
        names = [column.name for column in relation.columns.values()]
        texts = [(text, ()) for _, text, _ in relation.checks.values()]
        texts += [(c.text, c.sources) for c in self.rules[relation.oid] if c.text or c.sources]
        texts += [(as_column(t, c.name), ()) for c in relation.columns.values() for t in self._of_domain(c)]
        texts += [(self.promises.tables[relation.oid].bound, ())]
        texts += [(self.demands[relation.oid].text, ())] if relation.oid in self.demands else []
        texts += [(t.definition, (t.source,)) for t in self.promises.triggers if t.relation == relation.oid]
        found: dict[str, list[str]] = {name: list(self.pools.get(name, ())) for name in names}
        for text, sources in texts:
            own = harvest(f"SELECT {text}") if text else {}
            every = [*constants(text), *(value for source in sources for value in constants(source))]
            for name in named(" ".join([text, *sources]), names):
                found[name] += [*own.get(name, ()), *every]
        return {name: list(dict.fromkeys(values))[:400] for name, values in found.items() if values}

    def keys_of(self, relation: Relation) -> list[ForeignKey]:
        """Foreign keys that stand."""
        return [key for key in relation.foreign_keys if (relation.oid, key.name) not in self.skipped]

    def groups(self, relation: Relation, place: int = 0) -> list[list[Change]]:
        """For the columns of foreign keys the values that rows of the parents allow; keys that share a column agree."""
        found: list[tuple[set[str], list[Change]]] = []
        for key in self.keys_of(relation):
            names = {relation.columns[n].name for n in key.columns}
            options = self._allowed(relation, key, place)
            joined = [item for item in found if item[0] & names]
            found = [item for item in found if not item[0] & names]
            for other, choices in joined:
                names |= other
                options = _agreeing(choices, options)
            found.append((names, options))
        return [options for _, options in found if options]

    def _allowed(self, relation: Relation, key: ForeignKey, place: int) -> list[Change]:
        columns = [relation.columns[n] for n in key.columns]
        parent = self.promises.tables[key.target].relation if key.target in self.promises.tables else None
        rows = self.present.get(key.target, []) if parent else []
        turn = place % len(rows) if rows else 0
        options: list[Change] = [
            {
                c.name: row.get(parent.columns[n].name)
                for c, n in zip(columns, key.target_columns, strict=True)
            }
            for row in [*rows[turn:], *rows[:turn]]
            if parent
        ]
        loose = {c.name: None for c in columns if not c.not_null}
        return [*options, loose] if loose else options

    def _taken(self, relation: Relation) -> list[tuple[tuple[str, ...], set[tuple[str | None, ...]]]]:
        """The values that unique keys may not have again."""
        found: list[tuple[tuple[str, ...], set[tuple[str | None, ...]]]] = []
        rows = self.present.get(relation.oid, [])
        for key in relation.keys if rows else ():
            if (relation.oid, key.name) not in self.skipped:
                names = tuple(written(self.promises.tables[relation.oid], key_columns(relation, key)))
                tuples = {tuple(row.get(name) for name in names) for row in rows}
                found.append((names, {t for t in tuples if None not in t}))
        return found

    def _parents(
        self, relation: Relation, values: Values, depth: int, fixed: frozenset[str], place: int
    ) -> None:
        """Points the foreign keys at rows that are there, or at new ones, or at nothing."""
        for key in self.keys_of(relation):
            columns = [relation.columns[n] for n in key.columns]
            loose = any(not c.not_null for c in columns)
            if key.target not in self.promises.tables or self.present.get(key.target):
                continue
            row = self._waiting(relation, key, values)
            if row is None and not any(oid == key.target for oid, _ in self._open) and depth < _DEPTH:
                row = self.add(self.promises.tables[key.target].relation, place, None, depth + 1)
            self._point(key, columns, values, row, loose=loose, fixed=fixed)
        for group in self.groups(relation, place):
            fitting = [g for g in group if all(values.get(n) == v for n, v in g.items() if n in fixed)]
            if fitting:
                values.update(fitting[0])

    def _waiting(self, relation: Relation, key: ForeignKey, values: Values) -> Values | None:
        """The row itself, or one that waits for this one and may be pointed at before it is there."""
        if key.target == relation.oid:
            return values
        return next((row for oid, row in self._open if oid == key.target and key.deferrable), None)

    def _point(
        self, key: ForeignKey, columns: Sequence[Column], values: Values, row: Values | None, *, loose: bool,
        fixed: frozenset[str],
    ) -> None:  # fmt: skip
        parent = self.promises.tables[key.target].relation
        for column, number in zip(columns, key.target_columns, strict=True):
            if column.name not in fixed:
                if row is not None:
                    values[column.name] = row.get(parent.columns[number].name)
                elif loose and not column.not_null:
                    values[column.name] = None

    def _mended(
        self, relation: Relation, values: Values, refused: Failure, fixed: frozenset[str], depth: int, attempt: int
    ) -> bool:  # fmt: skip
        if refused.sqlstate == "23503":
            return attempt < _PARENTS and self._new_parent(relation, values, refused, fixed, depth)
        spoken = self._spoken_of(relation, refused)
        names = spoken - fixed
        if spoken and not names and refused.sqlstate in _OF_VALUES:
            return False
        if attempt < _PARENTS and self._another_parent(relation, values, names, depth):
            return True
        if not names:
            free = [c.name for c in relation.columns.values() if not c.generated and c.name not in fixed]
            names = frozenset(self.random.sample(free, min(2, len(free))))
        for changes in self.solver(relation).moves(frozenset(names)):
            allowed = [c for c in changes if not any(values.get(n) != v for n, v in c.items() if n in fixed)]
            if allowed:
                values.update(self.random.choice(allowed))
        return bool(names)

    def _new_parent(
        self, relation: Relation, values: Values, refused: Failure, fixed: frozenset[str], depth: int
    ) -> bool:
        key = next((k for k in self.keys_of(relation) if k.name == refused.constraint), None)
        if key is None or key.target not in self.promises.tables or depth >= _DEPTH:
            return False
        parent = self.promises.tables[key.target].relation
        names = [relation.columns[n].name for n in key.columns]
        wanted = {n: values[name] for n, name in zip(key.target_columns, names, strict=True) if name in fixed}
        row = self.add(parent, len(self.present[parent.oid]), wanted, depth + 1)
        if row is not None:
            values.update(
                {c: row.get(parent.columns[n].name) for c, n in zip(names, key.target_columns, strict=True)}
            )
        return row is not None

    def _another_parent(self, relation: Relation, values: Values, names: frozenset[str], depth: int) -> bool:
        """One more row to point at, for a rule about the columns of a foreign key; what other keys share stays."""
        keys = [(key, {relation.columns[n].name for n in key.columns}) for key in self.keys_of(relation)]
        made = False
        for key, own in keys if depth < 2 else ():
            parent = self.promises.tables.get(key.target)
            if parent is None or not own & names or key.target == relation.oid:
                continue
            shared = own & {n for other, columns in keys if other is not key for n in columns}
            wanted = {
                number: values.get(relation.columns[n].name)
                for n, number in zip(key.columns, key.target_columns, strict=True)
                if relation.columns[n].name in shared and values.get(relation.columns[n].name) is not None
            }
            refused = self.refused
            made = (
                self.add(parent.relation, len(self.present[key.target]) + 1, wanted, depth + 1) is not None
                or made
            )
            self.refused = refused
        return made

    def _spoken_of(self, relation: Relation, refused: Failure) -> frozenset[str]:
        """The columns that an error is about."""
        if refused.column:
            return frozenset({refused.column})
        for constraint in self.rules[relation.oid]:
            if refused.constraint in constraint.reported:
                return frozenset(constraint.columns)
        if refused.datatype:
            kinds = [
                c.name
                for c in relation.columns.values()
                if c.type.split(".")[-1].strip('"') == refused.datatype
            ]
            return frozenset(kinds)
        return frozenset()


def key_columns(relation: Relation, key: Key) -> tuple[str, ...]:
    """The columns of a unique index, those inside its expressions included."""
    numbers = [number for number in key.columns if number]
    numbers += [n.number("varattno") for tree in key.expressions for n in walk(tree) if n.tag == "VAR"]
    return tuple(dict.fromkeys(relation.columns[n].name for n in numbers if n in relation.columns))


def _agreeing(left: Sequence[Change], right: Sequence[Change]) -> list[Change]:
    pairs = ({**a, **b} for a in left for b in right if all(a[n] == b[n] for n in a.keys() & b.keys()))
    found: list[Change] = []
    for pair in pairs:
        found.append(pair)
        if len(found) == _COMBINATIONS:
            break
    return found


def as_column(text: str, name: str) -> str:
    """A domain's check about a column: VALUE is the column."""
    quoted = '"' + name.replace('"', '""') + '"'
    return _VALUE.sub(lambda _: quoted, text)
