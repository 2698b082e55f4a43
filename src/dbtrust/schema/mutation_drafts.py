"""Drafts of proofs for what a mutant weakens: rows that the server takes or refuses, found by trying."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.analysis import relations_named
from dbtrust.engine.postgres.run import execute_last
from dbtrust.engine.postgres.trial import insert_statement, try_insert
from dbtrust.judge.candidates import fresh, literals, pools
from dbtrust.judge.mutants.expressions import check_parts
from dbtrust.model.facts import Column, ForeignKey, Relation
from dbtrust.model.mutants import Aim
from dbtrust.stage.rows import Mode, Rows, Values

Connection = psycopg.Connection[Any]
#: Rows tried for one mutant: a proof of the catalog stands in where none of them tells.
TRIALS = 60
_PLAIN = Mode(counts={}, nulls=0.0, share=0.0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A proof in the making: its claim and its statements. Nothing is known yet of what it shows."""

    claim: str
    statements: tuple[str, ...]


def drafts(connection: Connection, aim: Aim) -> list[Draft]:
    """Proofs worth trying, the best first; the caller rolls back. Empty where only the catalog can tell."""
    made = _MAKERS.get(aim.kind)
    if made is None:
        return []
    try:
        with connection.transaction(force_rollback=True):
            return list(islice(made(connection, aim), TRIALS))
    except psycopg.Error:
        if connection.closed:
            raise
        return []


@dataclass(slots=True)
class _Bench:
    """The aim's table with the relations that its foreign keys reach, and a valid row of it."""

    connection: Connection
    relation: Relation
    relations: Mapping[int, Relation]
    rows: Rows
    good: Values
    #: INSERTs of what the row refers to, and of the row itself.
    parents: tuple[str, ...]
    own: str

    def insert(self, changes: Mapping[str, str | None]) -> sql.Composed:
        """The good row with these changes; NULL is written out."""
        row = {**self.good, **changes}
        identity = any(c.identity == "a" and c.name in row for c in self.relation.columns.values())
        return insert_statement(self.relation.schema, self.relation.name, row, identity=identity)

    def text(self, statement: sql.Composed) -> str:
        return statement.as_string(self.connection)


def _bench(connection: Connection, aim: Aim) -> _Bench | None:
    """None where no valid row was found, as behind a trigger that refuses everything."""
    oid = connection.execute("SELECT to_regclass(%s)::oid", [_path(aim)]).fetchone()
    if oid is None or oid[0] is None:
        return None
    relations = _closure(connection, oid[0])
    relation = relations[oid[0]]
    rows = Rows(connection, relations, _pools(relations), Random(1), _PLAIN)
    good = rows.add(relation, 0)
    if good is None:
        return None
    *parents, own = (statement.as_string(connection) for statement in rows.inserted)
    return _Bench(connection, relation, relations, rows, good, tuple(parents), own)


def _pools(relations: Mapping[int, Relation]) -> dict[str, list[str]]:
    """Values to prefer by column: what the checks compare with, and for keys what no row of the data has."""
    checks = [f"SELECT {check[1]}" for r in relations.values() for check in r.checks.values()]
    known = {name: list(values) for name, values in pools(checks).items()}
    for relation in relations.values():
        for column in _key_columns(relation):
            if column.category == "N":
                known[column.name] = [*known.get(column.name, ()), *_UNUSED]
    return known


#: Numbers that a generator of rows hardly gives.
_UNUSED = ("-1", "-2", "-3", "-4")


def _key_columns(relation: Relation) -> list[Column]:
    numbers = dict.fromkeys(n for key in relation.keys for n in key.columns if n)
    return [relation.columns[n] for n in numbers if n in relation.columns]


def _path(aim: Aim) -> str:
    return sql.Identifier(aim.schema, aim.table).as_string()


def _closure(connection: Connection, oid: int) -> dict[int, Relation]:
    found: dict[int, Relation] = {}
    pending = [oid]
    while pending:
        fresh_ones = relations_named(connection, pending)
        found |= fresh_ones
        targets = {key.target for r in fresh_ones.values() for key in r.foreign_keys}
        pending = sorted(targets - found.keys())
    return found


def _label(aim: Aim) -> str:
    return aim.table if aim.schema == "public" else f"{aim.schema}.{aim.table}"


def _quoted(name: str) -> str:
    """A name in a claim: quoted where the grammar would read it as more than a word."""
    plain = name.replace("_", "a").replace("$", "a").isalnum()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _check(connection: Connection, aim: Aim) -> Iterator[Draft]:
    """Rows that break the check alone, and rows that just keep it."""
    bench = _bench(connection, aim)
    if bench is None or aim.name not in bench.relation.checks:
        return
    # The good row is there: a second one must not meet its keys.
    _forget(bench)
    kept: list[Draft] = []
    for number in bench.relation.checks[aim.name][0]:
        column = bench.relation.columns.get(number)
        for value in _values(bench, column) if column else ():
            statement = bench.insert({column.name: value} if column else {})
            refused = try_insert(connection, statement)
            text = bench.text(statement)
            if refused is None:
                _forget(bench)
                kept.append(Draft("true", (*bench.parents, f"{text} RETURNING true")))
            elif refused.constraint == aim.name:
                yield Draft(f"refused 23514 by {_quoted(aim.name)}", (*bench.parents, text))
    yield from kept


def _values(bench: _Bench, column: Column) -> list[str]:
    found = literals(column, bench.rows.pools.get(column.name, ()))
    odd = (
        [value[:-1] for value in found if column.category == "S" and value] if column.category == "S" else []
    )
    return list(dict.fromkeys([*found, *odd]))


def _forget(bench: _Bench) -> None:
    """Takes the good row away again, so that its keys are free."""
    table = sql.Identifier(bench.relation.schema, bench.relation.name)
    where = [
        sql.SQL("{} IS NOT DISTINCT FROM {}").format(
            sql.Identifier(c.name), sql.Literal(bench.good.get(c.name))
        )
        for c in _key_columns(bench.relation)
    ]
    if where:
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(table, sql.SQL(" OR ").join(where))
        try_insert(bench.connection, statement)


def _not_null(connection: Connection, aim: Aim) -> Iterator[Draft]:
    bench = _bench(connection, aim)
    if bench is not None:
        text = bench.text(bench.insert({aim.name: None}))
        yield Draft(f"refused 23502 on {_label(aim)}.{aim.name}", (*bench.parents, text))


def _unique(connection: Connection, aim: Aim) -> Iterator[Draft]:
    """A row, and another one that is alike in the key alone."""
    bench = _bench(connection, aim)
    key = next((k for k in bench.relation.keys if k.name == aim.name), None) if bench else None
    if bench is None or key is None:
        return
    columns = [bench.relation.columns[n].name for n in key.columns if n]
    second = bench.rows.add(bench.relation, 1)
    alike = {name: bench.good.get(name) for name in columns}
    made = bench.rows.inserted
    between = tuple(s.as_string(connection) for s in made[len(bench.parents) + 1 : -1]) if second else ()
    for other in filter(None, (second, {**bench.good, **_unlike(bench)})):
        text = bench.text(bench.insert({**other, **alike}))
        yield Draft(f"refused 23505 by {_quoted(aim.name)}", (*bench.parents, bench.own, *between, text))


def _unlike(bench: _Bench) -> dict[str, str | None]:
    """Values of the keys that neither the good row nor, most likely, the data have."""
    linked = {n for key in bench.relation.foreign_keys for n in key.columns}
    loose = [
        c for n, c in bench.relation.columns.items() if n not in linked and c in _key_columns(bench.relation)
    ]
    return {c.name: "-4" if c.category == "N" else fresh(c, 877) or bench.good.get(c.name) for c in loose}


def _key(bench: _Bench | None, aim: Aim) -> ForeignKey | None:
    return next((k for k in bench.relation.foreign_keys if k.name == aim.name), None) if bench else None


def _foreign_key(connection: Connection, aim: Aim) -> Iterator[Draft]:
    bench = _bench(connection, aim)
    key = _key(bench, aim)
    if bench is None or key is None:
        return
    columns = [bench.relation.columns[n] for n in key.columns]
    absent = {c.name: fresh(c, 700) or literals(c)[-1] for c in columns}
    yield Draft(f"refused 23503 by {_quoted(aim.name)}", (bench.text(bench.insert(absent)),))
    negative = {c.name: "-1" if c.category == "N" else absent[c.name] for c in columns}
    yield Draft(f"refused 23503 by {_quoted(aim.name)}", (bench.text(bench.insert(negative)),))


def _delete(connection: Connection, aim: Aim) -> Iterator[Draft]:
    """The parent goes: what becomes of the child?"""
    bench = _bench(connection, aim)
    key = _key(bench, aim)
    parent = bench.relations.get(key.target) if bench and key else None
    if bench is None or key is None or parent is None:
        return
    there = bench.rows.present[parent.oid]
    row = there[-1] if parent.oid != bench.relation.oid else there[0]
    pairs = [
        (parent.columns[t].name, bench.relation.columns[c].name)
        for c, t in zip(key.columns, key.target_columns, strict=True)
    ]
    gone = _where(connection, "DELETE FROM {} WHERE {}", parent, [(p, row.get(p)) for p, _ in pairs])
    left = _where(
        connection,
        "SELECT count(*) = 0 FROM {} WHERE {}",
        bench.relation,
        [(c, row.get(p)) for p, c in pairs],
    )
    before = (*bench.parents, bench.own)
    yield Draft(f"refused 23503 by {_quoted(aim.name)}", (*before, gone))
    yield Draft("true", (*before, gone, left))
    loose = _where(
        connection, "SELECT count(*) > 0 FROM {} WHERE {}", bench.relation, [(c, None) for _, c in pairs]
    )
    yield Draft("true", (*before, gone, loose))


def _where(
    connection: Connection, template: Any, relation: Relation, pairs: Sequence[tuple[str, str | None]]
) -> str:
    table = (
        sql.Identifier(relation.name)
        if relation.schema == "public"
        else sql.Identifier(relation.schema, relation.name)
    )
    tests = [
        sql.SQL("{} IS NULL").format(sql.Identifier(n)) if v is None else sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v))
        for n, v in pairs
    ]  # fmt: skip
    return sql.SQL(template).format(table, sql.SQL(" AND ").join(tests)).as_string(connection)


def _default(connection: Connection, aim: Aim) -> Iterator[Draft]:
    """A row that leaves the column out; the value is that of the default's own expression, or at least there."""
    bench = _bench(connection, aim)
    if bench is None:
        return
    rest = {name: value for name, value in bench.good.items() if name != aim.name}
    identity = any(c.identity == "a" and c.name in rest for c in bench.relation.columns.values())
    text = bench.text(insert_statement(bench.relation.schema, bench.relation.name, rest, identity=identity))
    column = sql.Identifier(aim.name).as_string()
    if aim.text:
        yield Draft("true", (*bench.parents, f"{text} RETURNING {column} IS NOT DISTINCT FROM ({aim.text})"))
    yield Draft("true", (*bench.parents, f"{text} RETURNING {column} IS NOT NULL"))


def _identity(connection: Connection, aim: Aim) -> Iterator[Draft]:
    bench = _bench(connection, aim)
    if bench is not None:
        row = {**bench.good, aim.name: bench.good.get(aim.name) or "1"}
        text = bench.text(insert_statement(bench.relation.schema, bench.relation.name, row))
        yield Draft("refused 428C9", (*bench.parents, text))


def _labelled(connection: Connection, aim: Aim) -> Iterator[Draft]:
    text = sql.SQL("SELECT {}::{} IS NOT NULL").format(sql.Literal(aim.name), _type(aim))
    yield Draft("true", (text.as_string(connection),))


def _type(aim: Aim) -> sql.Identifier:
    return sql.Identifier(aim.table) if aim.schema == "public" else sql.Identifier(aim.schema, aim.table)


def _domain(connection: Connection, aim: Aim) -> Iterator[Draft]:
    """Values that the domain takes and refuses."""
    parts = check_parts(aim.text)
    compared = [f"SELECT {parts[0].replace('VALUE', 'value')}"] if parts else []
    known = pools(compared)
    odd = ["", "a", "0", "-1", "1", "100", "2000-01-01", "{}"]
    kept: list[Draft] = []
    for value in dict.fromkeys([*known.get("value", ()), *odd]):
        text = (
            sql.SQL("SELECT {}::{} IS NOT NULL").format(sql.Literal(value), _type(aim)).as_string(connection)
        )
        try:
            with connection.transaction(force_rollback=True):
                execute_last(connection, text)
        except psycopg.errors.CheckViolation:
            yield Draft(f"refused 23514 by {_quoted(aim.name)}", (text,))
        except psycopg.Error:
            continue
        else:
            kept.append(Draft("true", (text,)))
    yield from kept


_MAKERS = {
    "check": _check, "not_null": _not_null, "unique": _unique, "foreign_key": _foreign_key, "delete": _delete,
    "default": _default, "identity": _identity, "label": _labelled, "domain": _domain,
}  # fmt: skip
