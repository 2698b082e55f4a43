"""Questions of sql/ about a few objects, asked again and again on one connection: planned once.

Planning a question about the catalog takes the server ten times as long as answering it for one table.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString, cast
from weakref import WeakKeyDictionary

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.sql import load

#: Connection -> the questions that are prepared on it; a connection that is not here prepares nothing.
_PREPARED: WeakKeyDictionary[psycopg.Connection[Any], set[str]] = WeakKeyDictionary()
#: Connection -> what was asked ahead: (name, OIDs) -> rows.
_AHEAD: WeakKeyDictionary[psycopg.Connection[Any], dict[tuple[str, frozenset[int]], list[Any]]] = (
    WeakKeyDictionary()
)
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
    if known is None or (parameters is not None and (len(parameters) != 1 or None in parameters.values())):
        return cursor.execute(load(name), parameters).fetchall()
    there = _AHEAD.get(cursor.connection, {})
    if (rows := there.pop(_key(name, parameters), None)) is not None:
        return rows
    return cursor.execute(_execution(cursor, known, name, parameters)).fetchall()


@contextmanager
def ahead(
    cursor: psycopg.Cursor[Any], asked: Iterable[tuple[str, Mapping[str, Sequence[int]] | None]]
) -> Generator[None]:
    """Asks these questions in one message; `ask` has their rows inside the block, once each. Raises psycopg.Error."""
    known = _PREPARED.get(cursor.connection)
    questions = list(asked) if known is not None else []
    if known is None or not questions:
        yield
        return
    texts = [_execution(cursor, known, name, parameters) for name, parameters in questions]
    cursor.execute(sql.SQL("; ").join([_GENERIC, *texts]))
    found = _AHEAD.setdefault(cursor.connection, {})
    for name, parameters in questions:
        cursor.nextset()
        found[_key(name, parameters)] = cursor.fetchall()
    try:
        yield
    finally:
        found.clear()


#: A plan that was made for any objects is good enough, and costs nothing the next time.
_GENERIC = sql.SQL("SET LOCAL plan_cache_mode = force_generic_plan")


def _key(name: str, parameters: Mapping[str, Sequence[int] | None] | None) -> tuple[str, frozenset[int]]:
    return name, frozenset(oid for oids in (parameters or {}).values() for oid in oids or ())


def _execution(
    cursor: psycopg.Cursor[Any], known: set[str], name: str, parameters: Mapping[str, Sequence[int] | None] | None
) -> sql.Composed:  # fmt: skip
    """The EXECUTE of a question, which is prepared where it is not yet."""
    statement = sql.Identifier(f"dbtrust_{name}")
    if name not in known:
        _prepare(cursor, statement, name, next(iter(parameters), None) if parameters else None)
        known.add(name)
    if not parameters:
        return sql.SQL("EXECUTE {}").format(statement)
    ((_, oids),) = parameters.items()
    return sql.SQL("EXECUTE {} ({})").format(
        statement, sql.Literal("{" + ",".join(str(o) for o in oids or ()) + "}")
    )


def _prepare(cursor: psycopg.Cursor[Any], statement: sql.Identifier, name: str, key: str | None) -> None:
    if key is None:
        plain = sql.SQL(cast("LiteralString", load(name).decode()))
        cursor.execute(sql.SQL("PREPARE {} AS {}").format(statement, plain))
    else:
        cursor.execute(sql.SQL("PREPARE {} (oid[]) AS {}").format(statement, sql.SQL(_text(name, key))))


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
