"""Puts back what a script that commits by itself changed on objects that were there before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.server_wide import Change, State
from dbtrust.engine.postgres.take_back import RENAME

Connection = psycopg.Connection[Any]
_FLAGS: Mapping[str, LiteralString] = {
    "rolsuper": "SUPERUSER", "rolinherit": "INHERIT", "rolcreaterole": "CREATEROLE", "rolcreatedb": "CREATEDB",
    "rolcanlogin": "LOGIN", "rolreplication": "REPLICATION", "rolbypassrls": "BYPASSRLS",
}  # fmt: skip
_OPTIONS: Mapping[str, LiteralString] = {
    "allow_connections": "ALLOW_CONNECTIONS", "is_template": "IS_TEMPLATE", "connection_limit": "CONNECTION LIMIT",
}  # fmt: skip
_OWNER: Mapping[str, LiteralString] = {
    "database": "ALTER DATABASE {} OWNER TO {}",
    "tablespace": "ALTER TABLESPACE {} OWNER TO {}",
}


@dataclass(frozen=True, slots=True)
class Touched:
    """Something of the server's own that a script changed: what it was and is, "" where there is nothing.

    `stays` says why it could not be put back, "" where it was. `sure`: the script names it.
    """

    kind: str
    name: str
    old: str
    new: str
    stays: str
    sure: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: it was {self.old or 'nothing'}, and became {self.new or 'nothing'}"


def touched(connection: Connection, change: Change, now: State, *, sure: bool) -> Touched:
    """Puts it back where the script names it. Raises psycopg.Error where the server is lost."""
    fact = change.old or change.new
    assert fact is not None
    stays = _put_back(connection, change, now) if sure else "somebody else may have changed it"
    return Touched(fact.kind, fact.name, *_told(change), stays, sure)


def _told(change: Change) -> tuple[str, str]:
    """What differs, of an object only that."""
    old, new = (fact.detail if fact else "" for fact in (change.old, change.new))
    fact = change.old or change.new
    assert fact is not None
    if fact.kind == "password":
        return "one password", "another"
    if not fact.is_object or not (old and new):
        return old, new
    was, found = json.loads(old), json.loads(new)
    names = [name for name in was if was[name] != found.get(name)]
    return tuple(", ".join(f"{n} {side.get(n)}" for n in names) for side in (was, found))  # pyright: ignore[reportReturnType]


def _put_back(connection: Connection, change: Change, now: State) -> str:
    """Why it stays, "" where it was put back."""
    fact = change.old or change.new
    assert fact is not None
    if fact.is_object and change.new is None:
        return "what was dropped cannot be made again as it was"
    if fact.kind == "password":
        return "nobody can read what it was"
    try:
        statements = list(_statements(change, now))
        for statement in statements:
            connection.execute(statement.as_bytes(connection))
    except psycopg.Error as error:
        if connection.closed:
            raise
        return describe(error)
    return "" if statements else "no statement puts it back"


def _statements(change: Change, now: State) -> Iterator[sql.Composable]:
    old, new = change.old, change.new
    if old is None or new is None or not old.is_object:
        statement = old.make if old is not None else new.unmake if new is not None else None
        if statement is not None:
            yield sql.SQL(statement)  # pyright: ignore[reportArgumentType] of our own catalog query
        return
    if old.name != new.name:
        yield sql.SQL(RENAME[old.kind]).format(*map(sql.Identifier, (new.name, old.name)))
    was, found = json.loads(old.detail), json.loads(new.detail)
    differ = {name: value for name, value in was.items() if value != found.get(name)}
    if options := list(_role(differ) if old.kind == "role" else _database(differ)):
        words = sql.SQL("ALTER ROLE {} WITH {}" if old.kind == "role" else "ALTER DATABASE {} WITH {}")
        yield words.format(sql.Identifier(old.name), sql.SQL(" ").join(options))
    owner = now.get(("role", str(differ.get("owner"))))
    if owner is not None:
        yield sql.SQL(_OWNER[old.kind]).format(sql.Identifier(old.name), sql.Identifier(owner.name))


def _role(differ: Mapping[str, Any]) -> Iterator[sql.Composable]:
    for name, word in _FLAGS.items():
        if name in differ:
            yield sql.SQL(word) if differ[name] else sql.SQL("NO") + sql.SQL(word)
    if "rolconnlimit" in differ:
        yield sql.SQL("CONNECTION LIMIT {}").format(differ["rolconnlimit"])
    if "rolvaliduntil" in differ:
        yield sql.SQL("VALID UNTIL {}").format(differ["rolvaliduntil"] or "infinity")


def _database(differ: Mapping[str, Any]) -> Iterator[sql.Composable]:
    for name, word in _OPTIONS.items():
        if name in differ:
            yield sql.SQL("{} {}").format(sql.SQL(word), differ[name])
