"""A table that has no rows, as far as making some up needs to know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StarterColumn:
    """`base` is pg_type.typname below domains; `parent` is (schema, table, column) of a foreign key."""

    name: str
    type: str
    base: str
    is_enum: bool
    is_array: bool
    length: int | None
    not_null: bool
    generated: bool
    numbered: bool
    has_default: bool
    parent: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class StarterTable:
    schema: str
    name: str
    columns: tuple[StarterColumn, ...]

    @property
    def label(self) -> str:
        """As [data.NAME] writes it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def parents(self) -> set[tuple[str, str]]:
        """The other tables that its foreign keys name."""
        found = {column.parent[:2] for column in self.columns if column.parent is not None}
        return {(schema, name) for schema, name in found if (schema, name) != (self.schema, self.name)}


@dataclass(frozen=True, slots=True)
class Starter:
    """A generator that was made up: its file (relative to the project), text, and [data.NAME] with so many rows."""

    name: str
    file: str
    text: str
    rows: int
