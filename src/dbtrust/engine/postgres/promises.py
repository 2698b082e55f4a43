"""Reads every rule of a database in bulk: one question per kind of object, whatever the number of tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row

from dbtrust.engine.postgres import questions
from dbtrust.engine.postgres.analysis import ABOUT_RELATIONS, relations_named
from dbtrust.model.constraints import Constraint, Kind, Promises, RowSecurity, Table, Trigger
from dbtrust.model.facts import Column, Relation

Row = dict[str, Any]
_KINDS: dict[str, Kind] = {
    "c": "check", "f": "foreign key", "p": "primary key", "u": "unique", "x": "exclude",
}  # fmt: skip
_LEDGER = "dbtrust_migration"


def read_promises(connection: psycopg.Connection[Any], only: Collection[int] | None = None) -> Promises:
    """Tables, constraints, triggers and row security of the connection's database. Raises psycopg.Error.

    `only`: the OIDs of the tables to read, where not all; the rules of domains are always read.

    Expressions are written for the connection's search_path: evaluate them on a connection with the same one.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        asked = {"only": None if only is None else list(only)}
        found = questions.ask(cursor, "promise_tables", asked)
    rows = {row["oid"]: row for row in found}
    oids = list(rows)
    about = [(name, {"oids": oids}) for name in (*ABOUT_RELATIONS, *_ABOUT)] if oids else []
    with (
        connection.cursor(row_factory=dict_row) as cursor,
        questions.ahead(cursor, [*about, *((name, None) for name in _ABOUT_ALL)]),
    ):
        return _promises(connection, rows, whole=only is None)


_ABOUT = ("promise_columns", "promise_constraints", "promise_indexes")
_ABOUT_ALL = ("promise_domains", "promise_triggers", "promise_domain_types")


def _promises(connection: psycopg.Connection[Any], rows: Mapping[int, Row], *, whole: bool) -> Promises:
    oids = list(rows)
    relations = relations_named(connection, oids)
    columns = defaultdict[int, list[Row]](list)
    for row in _ask(connection, "promise_columns", oids):
        columns[row["relation"]].append(row)
    tables = {oid: _table(relations[oid], row, columns[oid]) for oid, row in rows.items()}
    constraints = [
        *_constraints(_ask(connection, "promise_constraints", oids), relations),
        *_indexes(_ask(connection, "promise_indexes", oids), relations),
        *(c for oid, mine in columns.items() for row in mine for c in _of_column(relations[oid], row)),
        *_domains(_ask(connection, "promise_domains")),
    ]
    triggers = [Trigger(**_tuples(row)) for row in _ask(connection, "promise_triggers")]
    triggers = [t for t in triggers if whole or t.relation in rows]
    security = [_security(row) for row in rows.values() if row["row_security"]]
    constraints.sort(key=lambda c: (c.schema, c.owner, c.name))
    return Promises(
        tables, tuple(constraints), tuple(t for t in triggers if t.table != _LEDGER), tuple(security),
        {row["type"]: tuple(row["texts"]) for row in _ask(connection, "promise_domain_types")},
    )  # fmt: skip


def _ask(connection: psycopg.Connection[Any], name: str, oids: list[int] | None = None) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return questions.ask(cursor, name, None if oids is None else {"oids": oids})


def _tuples(row: Row) -> Row:
    return {
        key: tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        for key, value in row.items()
    }


def _table(relation: Relation, row: Row, columns: Iterable[Row]) -> Table:
    generated = {c["name"]: c["expression"] for c in columns if c["generated"]}
    return Table(relation, generated, row["bound"] or "", row["partition"])


def _security(row: Row) -> RowSecurity:
    return RowSecurity(
        row["oid"],
        row["schema"],
        row["name"],
        row["forced"],
        tuple(row["policies"]),
        tuple(row["others"] or ()),
    )


def _constraints(rows: Iterable[Row], relations: dict[int, Relation]) -> Iterator[Constraint]:
    for row in rows:
        relation = relations[row["relation"]]
        columns = row["index_columns"] if row["type"] == "x" else row["columns"]
        yield Constraint(
            _KINDS[row["type"]], relation.schema, relation.name, row["name"], row["definition"], relation.oid,
            tuple(columns), row["text"] or "", tuple(row["sources"]), frozenset(row["reported"]), row["deferrable"],
            tuple(row["elements"] or ()), tuple(row["operators"] or ()), row["nulls_equal"], row["target"],
            tuple(row["target_columns"]), row["on_delete"], row["on_update"], tuple(row["set_columns"]),
            broken=row["broken"],
        )  # fmt: skip


def _indexes(rows: Iterable[Row], relations: dict[int, Relation]) -> Iterator[Constraint]:
    for row in rows:
        relation = relations[row["relation"]]
        yield Constraint(
            "unique index", relation.schema, relation.name, row["name"], row["definition"], relation.oid,
            tuple(row["columns"]), row["text"] or "", reported=frozenset(row["reported"]),
            elements=tuple(row["elements"]), nulls_equal=row["nulls_equal"], broken=row["broken"],
        )  # fmt: skip


def _of_column(relation: Relation, row: Row) -> Iterator[Constraint]:
    """The rules of one column; a column that a parent table gave is the parent's."""
    name = row["name"]

    def rule(kind: Kind, label: str, definition: str, broken: str = "") -> Constraint:
        return Constraint(
            kind, relation.schema, relation.name, label, definition, relation.oid, (name,),
            row["expression"] or "", reported=frozenset({relation.name} if relation.kind == "r" else ()), broken=broken,
        )  # fmt: skip

    if row["inherited"]:
        return
    if row["not_null"]:
        broken = "it is NOT VALID: rows that were there before were never checked" if row["not_valid"] else ""
        yield rule("not null", f"{name}_not_null", f"{name} NOT NULL", broken)
    if row["generated"]:
        yield rule("generated", f"{name}_generated", f"{name} GENERATED ALWAYS AS ({row['expression']})")
    if row["identity"]:
        yield rule("identity", f"{name}_identity", f"{name} GENERATED ALWAYS AS IDENTITY")


def _domains(rows: Iterable[Row]) -> Iterator[Constraint]:
    for row in rows:
        yield Constraint(
            row["kind"], row["schema"], row["domain"], row["name"], row["definition"], columns=("value",),
            text=row["text"], sources=tuple(row["sources"]), reported=frozenset({row["name"]}),
            value=_value(row), domain=row["type"], broken=row["broken"],
        )  # fmt: skip


def _value(row: Row) -> Column:
    """The value of a domain as a column of its base type."""
    return Column(
        "value",
        row["base"],
        row["base_name"],
        row["category"],
        labels=tuple(row["labels"]),
        length=row["length"],
    )
