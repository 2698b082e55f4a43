"""The rows of tables as the server writes them: texts that are equal where the values are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.rows import dict_row

from dbtrust.engine.postgres import questions
from dbtrust.engine.postgres.catalog import canonical
from dbtrust.engine.postgres.sql import load

Name = tuple[str, str]
Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class TableRows:
    """Column names in order, and each row as a mapping of them to texts."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def rows_of(connection: psycopg.Connection[Any], tables: Iterable[Name]) -> dict[Name, TableRows]:
    """Every row of each of the tables (schema, name) that is there. Raises psycopg.Error where the connection is lost."""
    wanted = list(tables)
    if not wanted:
        return {}
    kinds = dict(tables_named(connection, wanted).values())
    found: dict[Name, TableRows] = {}
    with canonical(connection):
        for (schema, name), partitioned in kinds.items():
            # A partitioned table's rows are those of its partitions; a child's rows are its own.
            only = sql.SQL("") if partitioned else sql.SQL("ONLY ")
            asked = sql.SQL("SELECT * FROM {}{}").format(only, sql.Identifier(schema, name))
            with connection.transaction():
                result = connection.pgconn.exec_(asked.as_bytes(connection))
                if result.status == pq.ExecStatus.TUPLES_OK:
                    found[schema, name] = _table(result)
    return found


def _table(result: pq.abc.PGresult) -> TableRows:
    columns = tuple((result.fname(i) or b"").decode() for i in range(result.nfields))
    rows = [
        {c: _text(result.get_value(row, place)) for place, c in enumerate(columns)}
        for row in range(result.ntuples)
    ]
    return TableRows(columns, tuple(rows))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


def written_tables(connection: psycopg.Connection[Any]) -> set[Name]:
    """(schema, name) of the tables whose rows the open transaction has written, and perhaps a few more."""
    return {(row[0], row[1]) for row in connection.execute(load("written_tables")).fetchall()}


def rows_meant(connection: psycopg.Connection[Any]) -> dict[Name, tuple[int, int]]:
    """Table -> rows inserted, rows updated or deleted, of those where the open transaction wrote rows, or meant to."""
    return {(r[0], r[1]): (r[2], r[3]) for r in connection.execute(load("rows_meant")).fetchall()}


def rows_counted(connection: psycopg.Connection[Any]) -> dict[Name, tuple[int, int]]:
    """Table -> as `rows_meant`, of all that the session has counted: what an open transaction begins with."""
    return {(r[0], r[1]): (r[2], r[3]) for r in connection.execute(load("rows_counted")).fetchall()}


def relations_left(connection: psycopg.Connection[Any], oids: Iterable[int]) -> set[int]:
    """Those of the relations (OIDs) that are still there, under whatever name."""
    rows = connection.execute(load("relations_left"), {"oids": list(oids)}).fetchall()
    return {row[0] for row in rows}


def stored_tables(connection: psycopg.Connection[Any]) -> dict[int, Name]:
    """OID -> (schema, name) of the user's tables that may hold rows."""
    rows: Sequence[tuple[Any, ...]] = connection.execute(load("promise_tables"), {"only": None}).fetchall()
    return {row[0]: (row[4], row[5]) for row in rows}


def referenced_tables(connection: psycopg.Connection[Any], tables: Iterable[int]) -> set[int]:
    """These tables and all that their foreign keys lead to, by OID."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = questions.ask(cursor, "referenced_tables", {"oids": list(tables)})
    return {row["oid"] for row in found}


def tables_named(connection: psycopg.Connection[Any], names: Iterable[Name]) -> dict[int, tuple[Name, bool]]:
    """OID -> ((schema, name), is it partitioned) of those tables that are there."""
    wanted = list(names)
    if not wanted:
        return {}
    asked = {"schemas": [schema for schema, _ in wanted], "names": [name for _, name in wanted]}
    rows = connection.execute(load("tables_named"), asked).fetchall()
    return {row[0]: ((row[1], row[2]), row[3]) for row in rows}
