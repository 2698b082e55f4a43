"""Questions of sql/ about a few objects, asked again and again on one connection: planned once.

Planning a question about the catalog takes the server ten times as long as answering it for one table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.sql import load

#: Connection -> the questions that are prepared on it; a connection that is not here prepares nothing.
_PREPARED: WeakKeyDictionary[psycopg.Connection[Any], set[str]] = WeakKeyDictionary()
_ONLY = re.compile(r"\(%\(only\)s::oid\[\] IS NULL OR (\S+) = ANY\(%\(only\)s::oid\[\]\)\)")


def remember(connection: psycopg.Connection[Any]) -> None:
    """From now on the questions of this connection are prepared."""
    _PREPARED.setdefault(connection, set())


def forget(connection: psycopg.Connection[Any]) -> None:
    """What was prepared may be gone: a script has run DEALLOCATE or DISCARD. Raises psycopg.Error."""
    if _PREPARED.get(connection):
        connection.execute("DEALLOCATE ALL")
        _PREPARED[connection] = set()


def ask(
    cursor: psycopg.Cursor[Any], name: str, parameters: Mapping[str, Sequence[int] | None] | None
) -> list[Any]:
    """The rows of sql/NAME.sql. Its one parameter is a list of OIDs, or None for all. Raises psycopg.Error."""
    known = _PREPARED.get(cursor.connection)
    if known is None or parameters is None or len(parameters) != 1 or None in parameters.values():
        return cursor.execute(load(name), parameters).fetchall()
    ((key, oids),) = parameters.items()
    statement = sql.Identifier(f"dbtrust_{name}")
    if name not in known:
        text = sql.SQL(_text(name, key))
        cursor.execute(sql.SQL("PREPARE {} (oid[]) AS {}").format(statement, text))
        known.add(name)
    listed = sql.Literal("{" + ",".join(str(oid) for oid in oids or ()) + "}")
    return cursor.execute(sql.SQL("EXECUTE {} ({})").format(statement, listed)).fetchall()


def ask_texts(
    cursor: psycopg.Cursor[Any], name: str, parameters: Mapping[str, str | list[str] | None]
) -> list[Any]:
    """The same for a question whose parameters are texts or lists of texts, which it casts itself. Raises psycopg.Error."""
    known = _PREPARED.setdefault(cursor.connection, set())
    statement = sql.Identifier(f"dbtrust_{name}")
    if name not in known:
        text = load(name).decode()
        for place, key in enumerate(parameters, 1):
            text = text.replace(f"%({key})s", f"${place}")
        plain = sql.SQL(cast("LiteralString", text.replace("%%", "%")))
        cursor.execute(sql.SQL("PREPARE {} AS {}").format(statement, plain))
        known.add(name)
    values = sql.SQL(", ").join(sql.Literal(value) for value in parameters.values())
    return cursor.execute(sql.SQL("EXECUTE {} ({})").format(statement, values)).fetchall()


def _text(name: str, key: str) -> LiteralString:
    """The question about $1 alone: the branch for all objects is left out."""
    text = _ONLY.sub(r"\1 = ANY($1)", load(name).decode())
    text = text.replace("%(only)s::oid[] IS NULL", "false").replace(f"%({key})s", "$1").replace("%%", "%")
    return cast("LiteralString", text)
