"""Histories of any length, as a project would grow them: the same one for the same (count, seed).

`write_history(folder, 300)` writes dbtrust.toml and migrations/NNNN_name.sql with their downs. Every kind of change comes
about as often in the last migrations as in the first, so the cost of one can be compared along the history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

CONFIG = """[project]
name = "grown"
[postgres]
version = "17"
[migrations]
folder = "migrations"
"""


@dataclass(slots=True)
class _Schema:
    """What the history has made so far: tables, and their columns that later migrations may change."""

    random: Random
    tables: list[str] = field(default_factory=list[str])
    columns: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    number: int = 0

    def name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}_{self.number}"

    def table(self) -> str:
        return self.random.choice(self.tables)


Change = tuple[str, str, str]


def _create_table(schema: _Schema) -> Change:
    table = schema.name("t")
    parent = f",\n    parent_id bigint REFERENCES {schema.table()} (id)" if schema.tables else ""
    up = (
        f"CREATE TABLE {table} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    name varchar(80) NOT NULL,\n"
        f"    amount numeric(10, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),\n    created_at timestamptz NOT NULL DEFAULT now(){parent}\n);\n"
        f"CREATE INDEX {table}_created ON {table} (created_at);\n"
    )
    schema.tables.append(table)
    schema.columns[table] = []
    return "create", up, f"DROP TABLE {table};\n"


def _add_column(schema: _Schema) -> Change:
    table, column = schema.table(), schema.name("c")
    kind = schema.random.choice(("text", "integer", "boolean NOT NULL DEFAULT false", "jsonb", "date"))
    schema.columns[table].append(column)
    return (
        "column",
        f"ALTER TABLE {table} ADD COLUMN {column} {kind};\n",
        f"ALTER TABLE {table} DROP COLUMN {column};\n",
    )


def _add_index(schema: _Schema) -> Change:
    table, index = schema.table(), schema.name("i")
    return "index", f"CREATE INDEX {index} ON {table} (name, created_at);\n", f"DROP INDEX {index};\n"


def _add_check(schema: _Schema) -> Change:
    table, check = schema.table(), schema.name("k")
    up = f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK (length(name) > 0);\n"
    return "check", up, f"ALTER TABLE {table} DROP CONSTRAINT {check};\n"


def _add_function(schema: _Schema) -> Change:
    function = schema.name("f")
    up = f"CREATE FUNCTION {function}(a integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a + {schema.number}';\n"
    return "function", up, f"DROP FUNCTION {function}(integer);\n"


def _add_view(schema: _Schema) -> Change:
    table, view = schema.table(), schema.name("v")
    up = f"CREATE VIEW {view} AS SELECT id, name FROM {table};\n"  # noqa: S608 the names are made up here
    return "view", up, f"DROP VIEW {view};\n"


def _drop_not_null(schema: _Schema) -> Change:
    table, column = schema.table(), schema.name("n")
    schema.columns[table].append(column)
    up = f"ALTER TABLE {table} ADD COLUMN {column} integer NOT NULL DEFAULT 1;\nCOMMENT ON COLUMN {table}.{column} IS 'a count';\n"
    return "count", up, f"ALTER TABLE {table} DROP COLUMN {column};\n"


def _set_default(schema: _Schema) -> Change:
    table = schema.table()
    value = schema.number + 1
    schema.number = value
    up = f"ALTER TABLE {table} ALTER COLUMN amount SET DEFAULT {value};\n"
    return "default", up, f"ALTER TABLE {table} ALTER COLUMN amount SET DEFAULT %OLD {table}%;\n"


_CHANGES: tuple[Callable[[_Schema], Change], ...] = (
    _create_table, _add_column, _add_column, _add_index, _add_check, _add_function, _add_view, _drop_not_null, _set_default,
)  # fmt: skip


def history(count: int, seed: int = 1) -> list[tuple[str, str, str]]:
    """(name, up, down) of each migration. Each block of nine holds every kind once, in an order of its own."""
    schema = _Schema(Random(seed))
    defaults: dict[str, int] = {}
    made: list[tuple[str, str, str]] = []
    while len(made) < count:
        block = list(_CHANGES)
        schema.random.shuffle(block)
        if not schema.tables:
            block.sort(key=lambda change: change is not _create_table)
        for change in block:
            name, up, down = change(schema)
            if name == "default":
                table = up.split()[2]
                down = down.replace(f"%OLD {table}%", str(defaults.get(table, 0)))
                defaults[table] = schema.number
            made.append((name, up, down))
    return made[:count]


def write_history(folder: Path, count: int, seed: int = 1) -> None:
    """A project with the history, in an empty folder."""
    (folder / "migrations").mkdir(parents=True)
    (folder / "dbtrust.toml").write_text(CONFIG)
    for number, (name, up, down) in enumerate(history(count, seed), 1):
        (folder / "migrations" / f"{number:04d}_{name}.sql").write_text(up)
        (folder / "migrations" / f"{number:04d}_{name}.down.sql").write_text(down)
