"""What belongs to no database: roles, databases and tablespaces of a server, and what hangs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.sql import load

#: What has a name of its own; all else (memberships, settings, rights) hangs on these.
OBJECTS = ("role", "database", "tablespace")
#: (kind, key); the key of an object is its OID, which no later object of the same name has.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of sql/server_wide.sql. `make` and `unmake` are statements, None for an object."""

    kind: str
    key: str
    name: str
    detail: str
    make: str | None = None
    unmake: str | None = None
    #: The objects that a relation hangs on, as "role 16384".
    parties: tuple[str, ...] = ()

    @property
    def is_object(self) -> bool:
        return self.kind in OBJECTS

    def named_in(self, text: str) -> bool:
        """Does a script speak of it? Of a relation: of what tells it from its neighbours."""
        words = {"membership": self.name.split(" of "), "setting": [self.name.rpartition(" SET ")[2]]}
        found = words.get(self.kind, [self.name.rpartition(" for ")[2]])
        return all(word.strip('"').lower() in text.lower() for word in found)


State = Mapping[Key, Fact]


@dataclass(frozen=True, slots=True)
class Change:
    """A relation between objects that are not ours: what it was and what it is, None where there is none."""

    old: Fact | None
    new: Fact | None

    @property
    def key(self) -> Key:
        fact = self.new or self.old
        assert fact is not None
        return fact.kind, fact.key

    @property
    def name(self) -> str:
        fact = self.new or self.old
        assert fact is not None
        return f"{fact.kind} {fact.name}"


def state(connection: psycopg.Connection[Any]) -> State:
    """Everything server-wide as `connection` sees it, its own open transaction included. Raises psycopg.Error."""
    rows = connection.execute(load("server_wide")).fetchall()
    facts = (Fact(a, b, c, d, e, f, tuple(parties)) for a, b, c, d, e, f, parties in rows)
    return {(fact.kind, fact.key): fact for fact in facts}


def changes(before: State, after: State, own: frozenset[Key] | set[Key]) -> list[Change]:
    """The relations that differ, without those that hang on objects of `own`, which go with them."""
    names = {f"{kind} {key}" for kind, key in own}
    found: list[Change] = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        fact = new or old
        if fact is None or fact.is_object or (old and new and old.detail == new.detail):
            continue
        if not names.intersection(fact.parties):
            found.append(Change(old, new))
    return sorted(found, key=lambda change: change.key)
