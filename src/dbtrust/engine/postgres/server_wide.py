"""What belongs to no database: roles, databases and tablespaces of a server, and what hangs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from dbtrust.engine.postgres.sql import load

#: What has a name of its own; all else (memberships, settings, rights) hangs on these.
OBJECTS = ("role", "database", "tablespace")
#: What is told and put back at once where it is not our own: nothing else goes with it.
LASTING = (*OBJECTS, "comment", "label", "configuration", "password")
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

    @property
    def is_lasting(self) -> bool:
        return self.kind in LASTING

    def named_in(self, text: str) -> bool:
        """Does a script speak of it? Of a relation: of what tells it from its neighbours."""
        words = {"membership": self.name.split(" of "), "setting": [self.name.rpartition(" SET ")[2]]}
        words |= {kind: [self.name.split(" ", 2)[-1]] for kind in ("comment", "label", "password")}
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
    return _facts(connection, _names(connection))


def guarded_state(connection: psycopg.Connection[Any]) -> State:
    """`state` with what only some may read: the configuration and fingerprints of passwords. Raises psycopg.Error."""
    row = connection.execute(load("server_wide_readable")).fetchone()
    assert row is not None
    secret = zip(row, ("server_wide_configuration", "server_wide_passwords"), strict=True)
    return _facts(connection, [*_names(connection), *(name for readable, name in secret if readable)])


def _names(connection: psycopg.Connection[Any]) -> list[str]:
    return ["server_wide", *(["server_wide_15"] if connection.info.server_version >= 150000 else [])]


def _facts(connection: psycopg.Connection[Any], names: Sequence[str]) -> dict[Key, Fact]:
    """One statement, so one snapshot: a role that is made meanwhile is in all of the answers or in none."""
    rows = connection.execute(b"\nUNION ALL\n".join(map(load, names))).fetchall()
    facts = (Fact(a, b, c, d, e, f, tuple(parties)) for a, b, c, d, e, f, parties in rows)
    return {(fact.kind, fact.key): fact for fact in facts}


def lasting(before: State, after: State, own: frozenset[Key] | set[Key]) -> list[Change]:
    """Of what is not `own`: objects that are another or gone, and comments, labels, passwords and configuration that differ."""
    names = {f"{kind} {key}" for kind, key in own}
    found: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        fact = old or new
        if fact is None or not fact.is_lasting or key in own or names.intersection(fact.parties):
            continue
        gone_with = new is None and any(p in names or not _is_there(p, after) for p in fact.parties)
        if (fact.is_object and old is None) or gone_with or (old and new and old.detail == new.detail):
            continue
        found.append(Change(old, new))
    return found


def _is_there(party: str, after: State) -> bool:
    kind, _, key = party.partition(" ")
    return (kind, key) in after


def changes(before: State, after: State, own: frozenset[Key] | set[Key]) -> list[Change]:
    """The relations that differ, without those that hang on objects of `own`, which go with them."""
    names = {f"{kind} {key}" for kind, key in own}
    found: list[Change] = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        fact = new or old
        if fact is None or fact.is_lasting or (old and new and old.detail == new.detail):
            continue
        if not names.intersection(fact.parties):
            found.append(Change(old, new))
    return sorted(found, key=lambda change: change.key)
