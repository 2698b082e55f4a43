"""Fills tables: a generating INSERT … SELECT on the server, or COPY of rows made in Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int8

from dbtrust.engine.postgres.errors import describe, lost, position
from dbtrust.engine.postgres.sql import load as load_sql
from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import NOWHERE, Location, locate
from dbtrust.model.project import DataConfig
from dbtrust.queries.placeholders import bind_params


def load_insert(connection: psycopg.Connection[Any], text: str, data: DataConfig, now: datetime) -> None:
    """Runs a generating statement with :rows and :seed as bigint and :now as timestamptz.

    Raises QueryFileError with the place in the generator's file.
    """
    values: dict[str, Any] = {"rows": Int8(data.rows), "now": now, "seed": Int8(data.seed)}
    bound = bind_params(text)
    unknown = [name for name in bound.names if name not in values]
    if unknown:
        raise QueryFileError(
            f"generator uses :{unknown[0]}",
            location=Location(data.file),
            next="only :rows, :now and :seed are given",
        )
    try:
        with psycopg.RawCursor(connection) as cursor:
            cursor.execute(bound.text.encode(), [values[name] for name in bound.names])
    except psycopg.Error as error:
        at = position(error)
        place = locate(text, bound.source_offset(at - 1), data.file) if at else Location(data.file, 1, 1)
        raise QueryFileError(
            f"generator of {data.name}: {describe(error)}", location=place, next="mend the generator"
        ) from error


def load_copy(
    connection: psycopg.Connection[Any],
    table: str,
    rows: Iterable[Mapping[str, Any]],
    location: Location = NOWHERE,
) -> None:
    """COPYs rows (mappings with the same keys each) into `table`, which may be schema.table."""
    iterator = iter(rows)
    first = next(iterator, None)
    if first is None:
        return
    columns = list(first)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    try:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in itertools.chain([first], iterator):
                copy.write_row([_adapt(row[column]) for column in columns])
    except psycopg.Error as error:
        step = "mend the generator"
        if isinstance(error, psycopg.errors.UndefinedTable):
            step = (
                "mend the name in [data]; a collection of that name has to be declared or made by a migration"
            )
        raise QueryFileError(f"loading {table}: {describe(error)}", location=location, next=step) from error


def _adapt(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


def materialized_views(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """(schema, name) of every materialized view, in an order in which they can be refreshed."""
    return [(str(schema), str(name)) for schema, name in connection.execute(load_sql("materialized_views"))]


def refresh(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Fills a materialized view, made over empty tables, from what they hold now.

    Raises QueryFileError with the view's name.
    """
    try:
        connection.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name)))
    except psycopg.Error as error:
        if lost(error):
            raise
        raise QueryFileError(
            f"refreshing the materialized view {schema}.{name} over the loaded data: {describe(error)}",
            next="mend the view, or the generators of what it reads",
        ) from error


def vacuum(connection: psycopg.Connection[Any]) -> None:
    """Freezes the visibility map and takes fresh statistics, so that index-only scans need no heap fetch.

    INDEX_CLEANUP ON: without it VACUUM may leave dead index entries, and pages stay not all-visible.
    """
    connection.execute("VACUUM (ANALYZE, FREEZE, INDEX_CLEANUP ON)")


def analyze(connection: psycopg.Connection[Any]) -> None:
    """Takes fresh statistics of every table."""
    connection.execute("ANALYZE")
