"""Reads the ledgers of other migration tools in a PostgreSQL database; nothing is changed.

Tables and columns are those that each tool's own source creates: alembic_version, schema_migrations (golang-migrate;
dbmate and Rails), flyway_schema_history, django_migrations, goose_db_version, gorp_migrations (sql-migrate),
__diesel_schema_migrations, _sqlx_migrations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.sql import load
from dbtrust.model.foreign import ForeignLedger, ForeignRow

_Rows = Sequence[Mapping[str, Any]]


def foreign_ledgers(connection: psycopg.Connection[Any]) -> list[ForeignLedger]:
    """Every table of a name and with the columns that one of the tools gives it. Raises psycopg.Error."""
    found: list[ForeignLedger] = []
    for schema, table, columns in connection.execute(load("foreign_ledgers"), [sorted(_NAMES)]).fetchall():
        for name, needed, reader in _READERS:
            if name == table and needed <= set(columns):
                found.append(reader(f"{schema}.{table}", _rows(connection, schema, table)))
                break
    return found


def _rows(connection: psycopg.Connection[Any], schema: str, table: str) -> _Rows:
    cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _alembic(where: str, rows: _Rows) -> ForeignLedger:
    return ForeignLedger("alembic", "postgres", where, "head", _versions(rows, "version_num"))


def _golang(where: str, rows: _Rows) -> ForeignLedger:
    dirty = ", ".join(str(row["version"]) for row in rows if row["dirty"])
    said = f"version {dirty} is dirty" if dirty else ""
    return ForeignLedger("golang-migrate", "postgres", where, "head", _versions(rows, "version"), said)


def _versioned(where: str, rows: _Rows) -> ForeignLedger:
    return ForeignLedger("dbmate or rails", "postgres", where, "list", _versions(rows, "version"))


def _diesel(where: str, rows: _Rows) -> ForeignLedger:
    return ForeignLedger("diesel", "postgres", where, "list", _versions(rows, "version"))


def _flyway(where: str, rows: _Rows) -> ForeignLedger:
    """The last row of a version counts. UNDO_… and DELETE (its `repair`) take a version out; repeatable ones have none.

    BASELINE (its `baseline`) and SQL_BASELINE (a file B…) stand for all versions up to theirs.
    """
    failed = ", ".join(str(row["script"]) for row in rows if not row["success"])
    applied: dict[str, ForeignRow] = {}
    bases: dict[str, None] = {}
    for row in sorted(rows, key=lambda row: row["installed_rank"]):
        version, kind = str(row["version"] or row["script"]), str(row["type"])
        if kind.startswith("UNDO") or kind == "DELETE":
            applied.pop(version, None)
            bases.pop(version, None)
        elif kind.endswith("BASELINE"):
            bases[version] = None
        elif kind != "SCHEMA":
            applied[version] = ForeignRow(version, str(row["description"]))
    said = f"{failed} failed" if failed else ""
    base = next(reversed(bases), "")
    return ForeignLedger("flyway", "postgres", where, "list", tuple(applied.values()), said, base)


def _django(where: str, rows: _Rows) -> ForeignLedger:
    found = tuple(ForeignRow(f"{row['app']}.{row['name']}", str(row["name"])) for row in rows)
    return ForeignLedger("django", "postgres", where, "list", found)


def _goose(where: str, rows: _Rows) -> ForeignLedger:
    """The last row of a version counts; version 0 is the table's own first row."""
    last: dict[int, bool] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        last[row["version_id"]] = bool(row["is_applied"])
    found = tuple(ForeignRow(str(version)) for version, applied in last.items() if applied and version)
    return ForeignLedger("goose", "postgres", where, "list", found)


def _sql_migrate(where: str, rows: _Rows) -> ForeignLedger:
    found = tuple(ForeignRow(_leading(str(row["id"])), str(row["id"])) for row in rows)
    return ForeignLedger("sql-migrate", "postgres", where, "list", found)


def _sqlx(where: str, rows: _Rows) -> ForeignLedger:
    failed = ", ".join(str(row["version"]) for row in rows if not row["success"])
    said = f"version {failed} did not succeed" if failed else ""
    found = tuple(ForeignRow(str(row["version"]), str(row["description"])) for row in rows)
    return ForeignLedger("sqlx", "postgres", where, "list", found, said)


def _versions(rows: _Rows, column: str) -> tuple[ForeignRow, ...]:
    return tuple(ForeignRow(str(row[column])) for row in rows)


def _leading(text: str) -> str:
    """The digits that a file's name begins with."""
    return text[: len(text) - len(text.lstrip("0123456789"))]


#: Table, the columns that tell it from another tool's table of that name, reader; the first that fits counts.
_READERS: tuple[tuple[str, set[str], Callable[[str, _Rows], ForeignLedger]], ...] = (
    ("alembic_version", {"version_num"}, _alembic),
    ("schema_migrations", {"version", "dirty"}, _golang),
    ("schema_migrations", {"version"}, _versioned),
    ("flyway_schema_history", {"installed_rank", "version", "description", "type", "script", "success"}, _flyway),
    ("django_migrations", {"app", "name", "applied"}, _django),
    ("goose_db_version", {"id", "version_id", "is_applied"}, _goose),
    ("gorp_migrations", {"id", "applied_at"}, _sql_migrate),
    ("__diesel_schema_migrations", {"version", "run_on"}, _diesel),
    ("_sqlx_migrations", {"version", "description", "success"}, _sqlx),
)  # fmt: skip
_NAMES = {name for name, _, _ in _READERS}
