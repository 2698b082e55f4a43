"""What a server holds, as plain objects that can be compared: the same type for both engines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dbtrust.model.engine import Engine


@dataclass(frozen=True, slots=True)
class CatalogObject:
    """`kind`: table, constraint, index, trigger, function, view, sequence, type, … or collection, index.

    `name` is qualified: "public.users", "public.users.valid_email", "products.idx_name". `definition` maps a
    property to a JSON-like value; two objects are equal where kind, name and definition are. `path` holds the bare
    parts of a PostgreSQL name, without the arguments that may follow in `name`; () where nobody asks for it.
    """

    kind: str
    name: str
    definition: Mapping[str, Any]
    path: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Every object of one database but dbtrust's own ledger, sorted by (kind, name)."""

    engine: Engine
    objects: tuple[CatalogObject, ...]

    def find(self, kind: str, name: str) -> CatalogObject | None:
        return next((o for o in self.objects if o.kind == kind and o.name == name), None)


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not equal on both sides; `fields` maps a property to (expected, found)."""

    change: Literal["missing", "extra", "changed"]
    kind: str
    name: str
    fields: Mapping[str, tuple[Any, Any]]

    def __str__(self) -> str:
        detail = "; ".join(f"{key}: expected {a!r}, found {b!r}" for key, (a, b) in self.fields.items())
        return f"{self.kind} {self.name} {self.change}" + (f" ({detail})" if self.change == "changed" else "")


def qualified(path: Iterable[str]) -> str:
    """Parts joined by dots; a part with a dot or a quote is quoted, so two objects never share a name."""
    return ".".join('"' + p.replace('"', '""') + '"' if "." in p or '"' in p else p for p in path)


_PART = re.compile(r'"(?:[^"]|"")*"|[^."]+')


def path_of(name: str) -> list[str]:
    """The parts of a PostgreSQL object's name: 'public."a.b".c' -> ["public", "a.b", "c"].

    A part with a dot or a quote stands in double quotes (see `qualified`); what the server quotes reads the same.
    """
    parts = _PART.findall(name)
    return [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts]
