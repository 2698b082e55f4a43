"""Runs a statement and sees what it did: the locks it took, and the tables and indexes whose file is another one.

In a transaction the session's own locks are read after the statement. A statement that refuses a transaction is
watched from another session. Two more stand in its way, until it is seen to wait for them: one with a lock on every
table that VACUUM and CONCURRENTLY conflict with, one with an old snapshot and the weakest lock, which CONCURRENTLY
waits for with its own locks in hand. What is taken only after that, and for less than a poll, is not seen.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.connect import connect
from dbtrust.engine.postgres.scripts import Piece, execute_piece
from dbtrust.engine.postgres.sql import load


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """`object` in words, `kind` as pg_locks.locktype; `new`: it came into being with this migration."""

    object: str
    mode: str
    kind: str = "relation"
    new: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"object": self.object, "mode": self.mode, "kind": self.kind, "new": self.new}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one statement did. `transaction` False: it ran outside one, because it must."""

    locks: tuple[Lock, ...]
    rewrites: tuple[str, ...]
    transaction: bool = True
    at_least_once: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What was there before a migration: object ids of relations and of the rest."""

    relations: frozenset[int]
    objects: frozenset[tuple[int, int]]


_Key = tuple[str, str, str, int, int, int]


def known(connection: psycopg.Connection[Any]) -> Known:
    """What is there now."""
    objects = frozenset((int(c), int(i)) for c, i in connection.execute(load("known_objects")))
    return Known(frozenset(_storage(connection)), objects)


def run_measured(connection: psycopg.Connection[Any], piece: Piece, before: Known) -> Measured:
    """Executes a statement in the open transaction. Raises psycopg.Error."""
    pid = _pid(connection)
    held, files = _locks(connection, pid), _storage(connection)
    execute_piece(connection, piece)
    taken = _locks(connection, pid).keys() - held.keys()
    return Measured(_told(taken, before, files), _rewritten(files, _storage(connection)))


def run_measured_alone(
    connection: psycopg.Connection[Any], url: str, piece: Piece, before: Known, *, at_least_once: bool = False
) -> Measured:
    """The same for a statement that refuses a transaction; `url` is that of the same database. Raises psycopg.Error."""
    files, pid = _storage(connection), _pid(connection)
    failed: list[BaseException] = []

    def execute() -> None:
        try:
            execute_piece(connection, piece)
        except BaseException as error:
            failed.append(error)

    with connect(url) as watcher, connect(url) as strong, connect(url) as weak:
        _hold(strong, "SHARE UPDATE EXCLUSIVE")
        _hold(weak, "ACCESS SHARE")
        worker = threading.Thread(target=execute, daemon=True)
        worker.start()
        seen = _watch(worker, watcher, [strong, weak], pid)
    worker.join()
    if failed:
        raise failed[0]
    return Measured(_told(seen, before, files), _rewritten(files, _storage(connection)), False, at_least_once)


def _hold(holder: psycopg.Connection[Any], mode: LiteralString) -> None:
    """A snapshot that stays, and a lock on every table that there is."""
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    tables = [sql.Identifier(*row) for row in holder.execute(load("lockable_tables")).fetchall()]
    if tables:
        statement = sql.SQL("LOCK TABLE {} IN {} MODE").format(sql.SQL(", ").join(tables), sql.SQL(mode))
        holder.execute(statement)


def _watch(
    worker: threading.Thread,
    watcher: psycopg.Connection[Any],
    holders: list[psycopg.Connection[Any]],
    pid: int,
) -> set[_Key]:
    """All locks that were seen until the statement ended; a holder goes as soon as the statement waits for it."""
    seen: set[_Key] = set()
    while worker.is_alive():
        waits = [h for h in holders if _blocks(watcher, h, pid)]
        seen |= _locks(watcher, pid).keys()
        for holder in waits[:1]:
            holder.execute("ROLLBACK")
            holders.remove(holder)
        worker.join(0.0005)
    return seen


def _blocks(watcher: psycopg.Connection[Any], holder: psycopg.Connection[Any], pid: int) -> bool:
    return watcher.execute(load("blocked_by"), [holder.info.backend_pid, pid]).fetchone() == (True,)


def _pid(connection: psycopg.Connection[Any]) -> int:
    return connection.info.backend_pid


def _locks(connection: psycopg.Connection[Any], pid: int) -> Mapping[_Key, None]:
    rows = connection.execute(load("locks_of"), [pid]).fetchall()
    return {(obj, mode, kind, relation, cls, id): None for kind, mode, relation, obj, cls, id in rows}


def _told(keys: Iterable[_Key], before: Known, files: Mapping[int, tuple[str, int]]) -> tuple[Lock, ...]:
    """What is gone by the time that its lock is read has the name that it had before the statement."""
    found: list[Lock] = []
    for name, mode, kind, relation, cls, id in sorted(keys):
        name = files[relation][0] if relation in files else name
        there = relation in before.relations if relation else (cls, id) in before.objects or kind != "object"
        found.append(Lock(name, mode, kind, new=not there))
    return tuple(sorted(set(found)))


def _storage(connection: psycopg.Connection[Any]) -> dict[int, tuple[str, int]]:
    return {int(id): (name, int(file)) for id, name, file in connection.execute(load("storage")).fetchall()}


def _rewritten(old: Mapping[int, tuple[str, int]], new: Mapping[int, tuple[str, int]]) -> tuple[str, ...]:
    """Those that were there and have another file now."""
    return tuple(sorted(new[id][0] for id in old.keys() & new.keys() if old[id][1] != new[id][1]))
