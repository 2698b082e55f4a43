"""What would the planner do if: changes and settings inside a transaction that is always rolled back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql as composing
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from dbtrust.engine.postgres import hiding, sql
from dbtrust.engine.postgres.analysis import keep_tree
from dbtrust.engine.postgres.explain import explain
from dbtrust.engine.postgres.hiding import hide
from dbtrust.model.plan import Plan
from dbtrust.model.whatif import Index, Table

Relation = tuple[str, str]


@contextmanager
def changed(
    connection: psycopg.Connection[Any], *, statements: Sequence[str] = (), analyze: Iterable[Relation] = (),
    settings: Mapping[str, str] | None = None, hidden: Sequence[Index] = (),
) -> Generator[None]:  # fmt: skip
    """Within the block the statements have run, the relations have fresh statistics, the settings are made and
    the hidden indexes are not planned with. May be nested. Raises psycopg.Error, and CannotHide for an index of a
    constraint where the role is no superuser.
    """
    with connection.transaction(force_rollback=True):
        for statement in statements:
            connection.execute(statement.encode())
        for schema, name in analyze:
            connection.execute(composing.SQL("ANALYZE {}").format(composing.Identifier(schema, name)))
        for index in hidden:
            hide(connection, hiding.Index(index.oid, index.schema, index.name, index.backs))
        for name, value in (settings or {}).items():
            connection.execute("SELECT set_config(%s, %s, true)", [name, value])
        yield


def plan_as(
    connection: psycopg.Connection[Any], role: str | None, text: str, values: Sequence[Any], *,
    analyze: bool, timeout_ms: int,
) -> Plan:  # fmt: skip
    """The plan of a statement as `role` gets it, in a savepoint; one that runs too long is planned only.

    Raises psycopg.Error.
    """
    try:
        return _plan_as(connection, role, text, values, analyze, timeout_ms)
    except psycopg.errors.QueryCanceled:
        if not analyze:
            raise
        return _plan_as(connection, role, text, values, False, timeout_ms)


def _plan_as(
    connection: psycopg.Connection[Any], role: str | None, text: str, values: Sequence[Any], analyze: bool,
    timeout_ms: int,
) -> Plan:  # fmt: skip
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [str(timeout_ms)])
        if role is not None:
            connection.execute(composing.SQL("SET LOCAL ROLE {}").format(composing.Identifier(role)))
        return explain(connection, text, values, analyze=analyze)


def owner_of(url: str) -> str | None:
    """The role that a URL names."""
    user = conninfo_to_dict(url).get("user")
    return str(user) if user else None


def setting(connection: psycopg.Connection[Any], name: str) -> str:
    """The value of a setting in this session, in the setting's own unit. Raises psycopg.Error."""
    row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", [name]).fetchone()
    return str(row[0]) if row else ""


def vacuum_relation(connection: psycopg.Connection[Any], relation: Relation) -> None:
    """Makes every page all-visible, for good. Raises psycopg.Error."""
    command = composing.SQL("VACUUM (ANALYZE, INDEX_CLEANUP ON) {}")
    connection.execute(command.format(composing.Identifier(*relation)))


def tables(connection: psycopg.Connection[Any], relations: Iterable[Relation]) -> dict[Relation, Table]:
    """Columns and valid indexes of relations. Raises psycopg.Error."""
    wanted = sorted(set(relations))
    asked = {"schemas": [r[0] for r in wanted], "relations": [r[1] for r in wanted]}
    unbounded = defaultdict[Relation, set[str]](set)
    columns, indexes = defaultdict[Relation, dict[str, str]](dict), defaultdict[Relation, list[Index]](list)
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(sql.load("why_columns"), asked).fetchall():
            columns[row["schema"], row["relation"]][row["name"]] = row["type"]
            if row["unbounded"]:
                unbounded[row["schema"], row["relation"]].add(row["name"])
        for row in cursor.execute(sql.load("why_indexes"), asked).fetchall():
            index = Index(
                row["oid"], row["index_schema"], row["name"], row["definition"], row["backs"] is not None
            )
            indexes[row["schema"], row["relation"]].append(index)
    return {r: Table(*r, columns[r], tuple(indexes[r]), frozenset(unbounded[r])) for r in wanted}


def unbounded_elements(
    connection: psycopg.Connection[Any], index: Relation, table: Relation
) -> list[tuple[str, str | None, int | None]]:
    """(expression, column if it is a bare one, bytes of the longest value now) of what may outgrow a B-tree's entry.

    The bytes are None where the table is large. Raises psycopg.Error.
    """
    asked = {"schema": index[0], "index": index[1]}
    found: list[tuple[str, str | None, int | None]] = []
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql.load("why_unbounded"), asked).fetchall()
    for row in rows:
        longest = _longest(connection, table, row["element"]) if row["small"] else None
        found.append((row["element"], row["name"], longest))
    return found


def _longest(connection: psycopg.Connection[Any], table: Relation, element: str) -> int:
    relation = composing.Identifier(*table).as_bytes(connection)
    statement = (
        sql.load("why_longest").replace(b"{relation}", relation).replace(b"{element}", element.encode())
    )
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def used_columns(
    connection: psycopg.Connection[Any], text: str, parameters: Sequence[str]
) -> dict[Relation, list[str]] | None:
    """The columns of each relation that a statement names, as the server tells; None where it cannot.

    The statement becomes the body of a function that is rolled back: the server records what it depends on.
    """
    found: defaultdict[Relation, list[str]] = defaultdict(list)
    try:
        with connection.transaction(force_rollback=True), connection.cursor(row_factory=dict_row) as cursor:
            keep_tree(connection, text, parameters)
            for row in cursor.execute(sql.load("why_used_columns")).fetchall():
                found[row["schema"], row["relation"]].append(row["name"])
    except psycopg.Error:
        return None
    return dict(found)
