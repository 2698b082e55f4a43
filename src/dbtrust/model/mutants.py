"""Mutants of a schema: each is one object dropped or weakened, told as data; engine code applies them.

A mutant that no claim, proof or test of the project notices shows a statement of the schema that nothing checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, LiteralString

from dbtrust.model.engine import Engine

#: PostgreSQL: (schema, table); MongoDB: ("", collection).
Relation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a statement: an identifier's path, a value, a name inside a value ("regclass"), or SQL that the
    server wrote itself."""

    kind: Literal["name", "value", "regclass", "sql"]
    text: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A statement with {} where its parts go."""

    template: LiteralString
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class NewBody:
    """A function, by its regprocedure name, that gets another body and keeps everything else."""

    function: str
    body: str


@dataclass(frozen=True, slots=True)
class MongoChange:
    """A command for the database and the one that undoes it (None: the copy is thrown away)."""

    command: Mapping[str, Any]
    undo: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """What a proof has to break to see the mutant. `name` is a constraint, column, label, role or path.

    `kind`: check, not_null, unique, foreign_key, delete, default, identity, label, domain, clause, unique_index,
    action, level, or "" where only the catalog can tell.
    """

    kind: str = ""
    schema: str = ""
    table: str = ""
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`what` says in words what became of the object. `probe` is a SELECT of one text that tells the object's state.

    `relations` are those that the change touches (none: it may touch all). `equivalent` says why nothing could
    notice the change; such a mutant is never applied.
    """

    engine: Engine
    subject: str
    operator: str
    what: str
    changes: tuple[Change | NewBody | MongoChange, ...] = ()
    probe: Change | None = None
    relations: frozenset[Relation] = field(default_factory=frozenset[Relation])
    index: str = ""
    aim: Aim = Aim()
    equivalent: str = ""


def name(*path: str) -> Part:
    return Part("name", path)


def value(text: str) -> Part:
    return Part("value", (text,))


def regclass(*path: str) -> Part:
    return Part("regclass", path)


def raw(text: str) -> Part:
    """SQL that came from the server's own catalog or from the grammar's own writer."""
    return Part("sql", (text,))
