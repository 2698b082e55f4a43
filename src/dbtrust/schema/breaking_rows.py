"""For each kind of rule the rows that break it: one thing is changed in a row that the server accepts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from psycopg import sql

from dbtrust.engine.postgres.attempts import attempt, cast, count, observe, update
from dbtrust.engine.postgres.errors import Failure
from dbtrust.engine.postgres.trial import insert_statement
from dbtrust.judge.candidates import fresh
from dbtrust.model.constraints import Constraint, Table
from dbtrust.model.facts import Column, ForeignKey, Relation
from dbtrust.schema.breaking import Bench, Broken
from dbtrust.stage.rows import Values
from dbtrust.stage.solver import Solver, Test, named, written

#: A reference that no row has.
_ABSENT = 990
#: So many values are looked at for one.
_OTHERS = 12


def quoted(name: str) -> str:
    """A name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'


def check_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """Rows for which the server itself finds the expression false, all else kept; then those that break more."""
    test = Test(rule.name, rule.text, frozenset(_inputs(bench.ground.table, rule)))
    solver = bench.rows.solver(bench.relation)
    for row in solver.breaking(_base(bench), test):
        yield Broken((), bench.insert(row))
        yield from _updated(bench, {n: row[n] for n in test.columns if row.get(n) != _base(bench).get(n)})
    setup = (bench.ground.rows[-1].statement,)
    for row in _beside(bench, test):
        yield Broken(setup, bench.insert(row))
    alone = Solver(solver.connection, solver.table, [], solver.pools, solver.groups, known=solver.known)
    others = list(_first(alone.breaking(_base(bench), test), 8))
    yield from (Broken((), bench.insert(row)) for row in others)
    for row in others[:2]:
        yield from _mended(bench, rule, {name: row[name] for name in test.columns if name in row})


def _updated(bench: Bench, changes: Values) -> Iterator[Broken]:
    """The first row, changed by an UPDATE: a trigger may mend what an INSERT gives and no more."""
    if changes and bench.has_triggers():
        statement = update(bench.relation.schema, bench.relation.name, changes, {})
        yield Broken((bench.ground.rows[-1].statement,), statement)


def _beside(bench: Bench, test: Test) -> list[Values]:
    """Rows that break the check where the table's first row is there, which a key to the table itself may need."""
    if not any(key.target == bench.relation.oid for key in bench.relation.foreign_keys):
        return []
    bench.rows.present[bench.relation.oid].append(_base(bench))
    try:
        return list(
            _first(
                bench.rows.solver(bench.relation, 0).breaking(bench.ground.second or _base(bench), test), 8
            )
        )
    finally:
        bench.rows.present[bench.relation.oid].pop()


def _first(rows: Iterator[Values], most: int) -> Iterator[Values]:
    for _, row in zip(range(most), rows, strict=False):
        yield row


def _base(bench: Bench) -> Values:
    assert bench.ground.values is not None
    return bench.ground.values


def _inputs(table: Table, rule: Constraint) -> list[str]:
    """The columns that can be written to change what the rule reads."""
    names = [c.name for c in table.relation.columns.values()]
    return written(table, rule.columns or named(rule.text, names))


def _mended(
    bench: Bench, rule: Constraint, given: Values, setup: Sequence[sql.Composed] = (), place: int = 0
) -> Iterator[Broken]:
    """The row around the given values that would be valid without the rule."""
    statements = bench.found(rule, given, setup, place)
    if statements is not None:
        yield Broken((*setup, *statements[:-1]), statements[-1])


def null_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """The valid row with NULL in one column; a generated column is made NULL by what it reads."""
    name = rule.columns[0]
    if name in bench.ground.table.generated:
        test = Test(
            rule.name,
            f"{quoted(name)} IS NOT NULL",
            frozenset(_inputs(bench.ground.table, rule)),
            wanted=True,
        )
        for row in bench.rows.solver(bench.relation).breaking(_base(bench), test):
            yield Broken((), bench.insert(row))
        return
    yield Broken((), null_insert(bench.relation, _base(bench), name))
    yield from _updated(bench, {name: None})
    statements = bench.found(rule, {name: None})
    if statements is not None:
        yield Broken(statements[:-1], statements[-1])


def null_insert(relation: Relation, values: Values, name: str) -> sql.Composed:
    """The INSERT that writes NULL where a default would step in."""
    row = {k: v for k, v in values.items() if v is not None} | {name: None}
    identity = any(c.identity == "a" for c in relation.columns.values() if c.name in row)
    return insert_statement(relation.schema, relation.name, row, identity=identity)


def twin_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """Two rows that are equal in the columns of a unique key, and differ in those of all others."""
    for setup, first in _keyed(bench, rule):
        # The columns of the predicate too: the rule binds only the rows for which it is true.
        every = [c.name for c in bench.relation.columns.values()]
        names = written(bench.ground.table, [*rule.columns, *named(rule.text, every)])
        given = {name: first[name] for name in names if name in first}
        for other in (bench.ground.second, bench.ground.values):
            if other is not None:
                yield Broken(setup, bench.insert({**other, **given}))
        for place in (1, 2):
            yield from _mended(bench, rule, given, setup, place)


Bound = tuple[tuple[sql.Composed, ...], Values]


def _keyed(bench: Bench, rule: Constraint) -> Iterator[Bound]:
    """A valid row that the rule binds: no NULL in its columns, its predicate true."""
    wanted: list[Test] = []
    if not rule.nulls_equal:
        # A column that has a value in the valid row needs no question.
        empty = [name for name in rule.columns if _base(bench).get(name) is None]
        wanted += [Test("", f"{quoted(name)} IS NOT NULL", frozenset({name}), wanted=True) for name in empty]
        expressions = [e for e in rule.elements if e not in rule.columns]
        wanted += [Test("", f"({e}) IS NOT NULL", frozenset(rule.columns), wanted=True) for e in expressions]
    if rule.text:
        columns = named(rule.text, [c.name for c in bench.relation.columns.values()])
        wanted.append(Test("", rule.text, frozenset(columns), wanted=True))
    return _bound(bench, wanted)


def _bound(bench: Bench, wanted: Sequence[Test]) -> Iterator[Bound]:
    """Rows that the server accepts and for which all of this is true, each with the INSERTs up to its own.

    The second kind stands on the table's first row, which a foreign key to the table itself may need.
    """
    if not wanted:
        yield (bench.ground.rows[-1].statement,), _base(bench)
        return
    for base in (bench.ground.values, bench.ground.second):
        row = _accepted(bench, base, wanted, ()) if base is not None else None
        if row is not None:
            yield (bench.insert(row),), row
            return
    setup = (bench.ground.rows[-1].statement,)
    bench.rows.present[bench.relation.oid].append(_base(bench))
    try:
        row = _accepted(bench, bench.ground.second or _base(bench), wanted, setup)
    finally:
        bench.rows.present[bench.relation.oid].pop()
    if row is not None:
        yield (*setup, bench.insert(row)), row


def _accepted(
    bench: Bench, base: Values, wanted: Sequence[Test], setup: tuple[sql.Composed, ...]
) -> Values | None:
    solver = bench.rows.solver(bench.relation)
    row = solver.satisfied(base, frozenset(), wanted)
    (answers,) = solver.answers([row], wanted) if wanted else [[]]
    fits = all(answer is True for answer in answers)
    return row if fits and attempt(bench.rows.connection, [*setup, bench.insert(row)]) is None else None


def overlapping_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """Two rows for which every operator of an EXCLUDE is true, as the server itself finds."""
    pairs = list(zip(rule.elements, rule.operators, strict=True))
    alike = [(e, op) for e, op in pairs if not op.endswith(".<>)")]
    names = [c.name for c in bench.relation.columns.values()]
    wanted = [Test("", f"({e}) {op} ({e})", frozenset(named(e, names)), wanted=True) for e, op in alike]
    wanted += [Test("", f"({e}) IS NOT NULL", frozenset(named(e, names)), wanted=True) for e, _ in pairs]
    if rule.text:
        wanted.append(Test("", rule.text, frozenset(named(rule.text, names)), wanted=True))
    for setup, first in _bound(bench, wanted):
        yield from _overlapping(bench, rule, setup, first)


def _overlapping(
    bench: Bench, rule: Constraint, setup: tuple[sql.Composed, ...], first: Values
) -> Iterator[Broken]:
    pairs = list(zip(rule.elements, rule.operators, strict=True))
    alike = [(e, op) for e, op in pairs if not op.endswith(".<>)")]
    names = [c.name for c in bench.relation.columns.values()]
    same = written(
        bench.ground.table, [n for e, _ in alike for n in named(e, names)] + named(rule.text, names)
    )
    given = {name: first[name] for name in same if name in first}
    unlike = {name for e, op in pairs if op.endswith(".<>)") for name in named(e, names)}
    for other in (bench.ground.second, bench.ground.values):
        if other is not None and all(other.get(n) != first.get(n) for n in unlike):
            yield Broken(setup, bench.insert({**other, **given}))
    if not unlike:
        yield from _mended(bench, rule, given, setup, 1)
    for changes in bench.rows.solver(bench.relation).moves(frozenset(unlike)):
        for change in changes[:6]:
            if any(first.get(n) != v for n, v in change.items()):
                yield from _mended(bench, rule, given | dict(change), setup, 1)


def orphan_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """The valid row pointing at a parent that is not there."""
    base = referring(bench, rule)
    unused: list[Values] = []
    for absent in _absent(bench, rule, base):
        if absent not in unused and _is_absent(bench, rule, {**base, **absent}):
            unused.append(absent)
            yield Broken((), bench.insert({**base, **absent}))
        if len(unused) == _OTHERS // 2:
            break
    for absent in unused:
        yield from _mended(
            bench, rule, {**{n: base[n] for n in rule.columns if base.get(n) is not None}, **absent}
        )


def referring(bench: Bench, rule: Constraint) -> Values:
    """The valid row with every column of the key set, if there is a parent to point at."""
    base = _base(bench)
    if all(base.get(name) is not None for name in rule.columns):
        return base
    for group in bench.rows.groups(bench.relation):
        for change in group:
            if all(change.get(name, base.get(name)) is not None for name in rule.columns):
                return base | dict(change)
    return base


def _absent(bench: Bench, rule: Constraint, base: Values) -> Iterator[Values]:
    """Changes of the key's columns, those first that no other foreign key shares."""
    columns = {c.name: c for c in bench.relation.columns.values()}
    shared = {
        n for key in bench.relation.foreign_keys if key.name != rule.name for n in _names(bench.relation, key)
    }
    own = [name for name in rule.columns if name not in shared]
    others = {n: base.get(n) or _unused(bench, columns[n], 0) for n in rule.columns}
    for place in range(_OTHERS):
        for name in own or rule.columns:
            yield {
                **{n: v for n, v in others.items() if base.get(n) is None},
                name: _unused(bench, columns[name], place),
            }
        yield {name: _unused(bench, columns[name], place) for name in rule.columns}


def _is_absent(bench: Bench, rule: Constraint, row: Values) -> bool:
    """Does no parent have these values, as the server compares them?"""
    parent = bench.rows.promises.tables[rule.target].relation
    key = {n: row[name] for n, name in zip(rule.target_columns, rule.columns, strict=True)}
    if None in key.values() or (
        parent.oid == bench.relation.oid and all(row.get(n) == v for n, v in key.items())
    ):
        return False
    found = observe(bench.rows.connection, [count(parent.schema, parent.name, key)])
    return not isinstance(found, Failure) and found == [[(0,)]]


def _names(relation: Relation, key: ForeignKey) -> list[str]:
    return [relation.columns[n].name for n in key.columns]


def _unused(bench: Bench, column: Column, place: int) -> str | None:
    """A value that no row of the scratch database has, or one of the type's other values."""
    options = bench.rows.solver(bench.relation).options(column)
    unlike = fresh(column, _ABSENT + place) if place < 2 else None
    if unlike is None and options:
        unlike = options[place % len(options)] if place < _OTHERS - 2 else options[-1 - place % len(options)]
    return unlike


def written_rows(bench: Bench, rule: Constraint) -> Iterator[Broken]:
    """The valid row with a value for the column that only the server may write."""
    name = rule.columns[0]
    column = next(c for c in bench.relation.columns.values() if c.name == name)
    values = {k: v for k, v in _base(bench).items() if v is not None}
    value = values.get(name) or next(iter(bench.rows.solver(bench.relation).options(column)), None)
    always = {c.name for c in bench.relation.columns.values() if c.identity == "a" and c.name != name}
    row = {k: v for k, v in values.items() if k not in always} | {name: value}
    yield Broken((), insert_statement(bench.relation.schema, bench.relation.name, row))


def domain_values(rule: Constraint, known: Solver) -> Iterator[Broken]:
    """Casts of values that break a check of the domain and as few others as can be, or of NULL."""
    assert rule.value is not None
    if rule.kind == "domain not null":
        yield Broken((), cast(None, rule.value.type, rule.domain))
        return
    own = Test(rule.name, as_value(rule.text), frozenset({"value"}))
    for row in known.breaking(known.satisfied({"value": None}, frozenset()), own):
        yield Broken((), cast(row["value"], rule.value.type, rule.domain))


def as_value(text: str) -> str:
    """A domain's check with its VALUE as a column of that name."""
    return re.sub(r"(?<![\w$'\"])VALUE(?![\w$'\"])", '"value"', text)
