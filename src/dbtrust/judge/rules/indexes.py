"""An index of a PostgreSQL catalog as the rules see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbtrust.model.catalog import Catalog, CatalogObject


@dataclass(frozen=True, slots=True)
class Key:
    """One key column; `column` is its name, None for an expression. Order matters to btree only."""

    expression: str
    column: str | None
    opclass: str
    opclass_options: tuple[str, ...]
    collation: str | None
    column_collation: bool
    descending: bool
    nulls_first: bool

    @property
    def what(self) -> tuple[Any, ...]:
        """What is indexed and how, whatever the direction."""
        return self.expression, self.opclass, self.opclass_options, self.collation

    @classmethod
    def of(cls, key: Mapping[str, Any]) -> Key:
        return cls(
            expression=key["expression"],
            column=key.get("column"),
            opclass=key.get("opclass", ""),
            opclass_options=tuple(key.get("opclass_options", ())),
            collation=key.get("collation"),
            column_collation=key.get("column_collation", False),
            descending=key["descending"],
            nulls_first=key["nulls_first"],
        )


@dataclass(frozen=True, slots=True)
class Index:
    """`table` is (schema, table). `protected`: something stands on this very index, so it is not advice."""

    schema: str
    name: str
    table: tuple[str, str]
    method: str
    keys: tuple[Key, ...]
    include: tuple[str, ...]
    predicate: str | None
    options: tuple[str, ...]
    unique: bool
    nulls_not_distinct: bool
    immediate: bool
    valid: bool
    protected: bool
    definition: str

    @property
    def subject(self) -> str:
        return f"index:{named(self.schema, self.name)}"


def named(schema: str, *path: str) -> str:
    """The parts joined by dots, without the schema where it is public."""
    return ".".join(path if schema == "public" else (schema, *path))


def identifier(name: str) -> str:
    """`name` as SQL; quoted where it is more than lower-case letters, digits and underscores."""
    plain = (
        name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and not name[0].isdigit()
    )
    return name if plain else '"' + name.replace('"', '""') + '"'


def indexes_of(catalog: Catalog) -> list[Index]:
    """Every index of a PostgreSQL catalog, in its order."""
    return [_index(o) for o in catalog.objects if o.kind == "index" and "structure" in o.definition]


def _index(item: CatalogObject) -> Index:
    told, parts = item.definition, item.definition["structure"]
    marks = (
        parts["primary"],
        parts["exclusion"],
        told["clustered"],
        told["replica_identity"],
        parts.get("referenced"),
    )
    return Index(
        schema=told["schema"],
        name=told["name"],
        table=(told["schema"], told["table"]),
        method=parts["method"],
        keys=tuple(Key.of(key) for key in parts["keys"]),
        include=tuple(parts.get("include", ())),
        predicate=parts.get("predicate"),
        options=tuple(parts.get("options", ())),
        unique=parts["unique"],
        nulls_not_distinct=parts["nulls_not_distinct"],
        immediate=parts["immediate"],
        valid=told["valid"],
        protected=any(marks) or "constraint" in told or "partition_of" in told,
        definition=told["definition"],
    )
