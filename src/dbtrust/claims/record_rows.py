"""Rows for the tables of an old project: a plan over an empty table says nothing about its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dbtrust.engine.postgres.load import load_insert, vacuum
from dbtrust.engine.postgres.sql import load
from dbtrust.judge.drafting import FEW_ROWS, Relation
from dbtrust.judge.starter_rows import FOLDER, NoStarter, ordered, starter
from dbtrust.model.errors import QueryFileError
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config, DataConfig
from dbtrust.model.starter import Starter, StarterColumn, StarterTable
from dbtrust.stage.data import midnight
from dbtrust.stage.postgres import PostgresStage


def relation_rows(stage: PostgresStage) -> dict[Relation, float]:
    """How many rows each relation of the stage has, by its statistics."""
    source = stage.data or stage.state
    assert source is not None
    with stage.scratch.admin(source) as admin:
        return {(schema, name): n for schema, name, n in admin.execute(load("relation_rows")).fetchall()}


class StarterRows:
    """Fills a copy of the stage's data and puts it in the data's place, until `decide` says no."""

    def __init__(self, stage: PostgresStage, config: Config) -> None:
        self._stage, self._before = stage, stage.data
        self._filled = {item.name for item in config.data}
        self._made: list[str] = []
        self.notes: list[str] = []

    def fill(self, wanted: Iterable[Relation], progress: Progress) -> list[Starter]:
        """A starter for each wanted table, and its parents, that is nearly empty and has no generator."""
        rows = relation_rows(self._stage)
        few = {key for key, count in rows.items() if count < FEW_ROWS and not self._has_generator(key)}
        source = self._stage.data or self._stage.state
        assert source is not None
        with self._stage.owner(source) as connection:
            tables = ordered(list(_with_parents(connection, set(wanted) & few, few)))
        if not tables:
            return []
        copy = self._stage.scratch.copy(source, "rows")
        with self._stage.owner(copy, slow=True) as connection:
            found = [one for table in tables if (one := self._load(connection, table, progress)) is not None]
        if found:
            with self._stage.scratch.admin(copy) as admin:
                vacuum(admin)
            self._stage.data = copy
        return found

    def _has_generator(self, key: Relation) -> bool:
        return f"{key[0]}.{key[1]}" in self._filled or (key[0] == "public" and key[1] in self._filled)

    def _load(
        self, connection: psycopg.Connection[Any], table: StarterTable, progress: Progress
    ) -> Starter | None:
        progress(f"making up rows of {table.label}")
        try:
            made = starter(table)
            load_insert(connection, made.text, DataConfig(made.name, made.file, made.rows), midnight())
        except (NoStarter, QueryFileError) as error:
            self.notes.append(f"no rows are made up for {table.label}: {error}")
            return None
        self._made.append(made.name)
        return made

    def decide(self, keep: bool) -> None:
        """Without them the stage has the rows that the project gives it, and no others."""
        if keep:
            self.notes.append(
                f"rows were made up for {', '.join(self._made)}, and the command succeeds over them, too: "
                f"see {FOLDER}, and make them like your own"
            )
            return
        self._stage.data = self._before
        self.notes.append(
            f"rows were made up for {', '.join(self._made)}, and the command fails over them: they are left out; "
            "without rows there is little to claim"
        )


def _with_parents(
    connection: psycopg.Connection[Any], wanted: set[Relation], few: set[Relation]
) -> Iterator[StarterTable]:
    left, seen = sorted(wanted), set(wanted)
    while left:
        table = _table(connection, *left.pop())
        yield table
        more = (table.parents & few) - seen
        seen |= more
        left += sorted(more)


def _table(connection: psycopg.Connection[Any], schema: str, name: str) -> StarterTable:
    with psycopg.Cursor(connection, row_factory=dict_row) as cursor:
        rows = cursor.execute(load("starter_columns"), {"schema": schema, "table": name}).fetchall()
    return StarterTable(schema, name, tuple(_column(row) for row in rows))


def _column(row: dict[str, Any]) -> StarterColumn:
    parent = row.pop("parent_schema"), row.pop("parent"), row.pop("parent_column")
    return StarterColumn(**row, parent=parent if parent[0] is not None else None)
