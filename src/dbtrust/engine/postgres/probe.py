"""Looks at the catalog to tell how far a statement came that commits by itself, and cleans up what it left."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg import sql

from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.simple import Simple
from dbtrust.engine.postgres.sql import load
from dbtrust.model.effects import Effect
from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.progress import Progress

#: "done": the effect is there. "again": it is not, and the statement can be run. "unknown": nothing tells.
Found = Literal["done", "again", "unknown"]
Stored = Mapping[str, Any]
_PAUSE = 0.2
_NO_RIGHT = "42501"


@dataclass(frozen=True, slots=True)
class _Index:
    name: str
    valid: bool
    building: bool
    definition: str
    unique: bool
    schema: str


class Prober:
    """`connection` is the runner's own, in autocommit; statements go through `simple`, so that they can be watched."""

    def __init__(self, connection: psycopg.Connection[Any], simple: Simple, progress: Progress) -> None:
        self._connection, self._simple, self._progress = connection, simple, progress

    def before(self, effect: Effect) -> Stored:
        """What must be known of the time before the statement, to be kept in the ledger.

        Raises MigrationStopped for an invalid index of that name, which IF NOT EXISTS would take for a good one.
        """
        if effect.kind == "index":
            self._refuse_invalid(effect)
            return {"before": sorted(index.name for index in self._indexes(effect))}
        if effect.kind == "reindex":
            return {"before": [list(name) for name, _ in self._left_by_reindex(effect)]}
        if effect.kind == "detach":
            return {"attached": bool(self._attached(effect))}
        return {}

    def found(self, effect: Effect, stored: Stored) -> Found:
        """How far an interrupted statement came; what it left is removed first.

        Raises MigrationStopped where another object stands in its place.
        """
        if effect.kind == "index":
            return self._index_found(effect, stored)
        if effect.kind == "drop index":
            return "again" if self._is_there(_name(effect.schema, effect.name)) else "done"
        if effect.kind == "detach":
            return self._detach_found(effect, stored)
        if effect.kind == "named":
            there = bool(self._ask("probe_named", of=effect.of, name=effect.name)[0][0])
            return "done" if there != effect.gone else "again"
        if effect.kind == "reindex":
            self.clean(effect, stored)
        return "again" if effect.kind in ("repeat", "reindex") else "unknown"

    def clean(self, effect: Effect, stored: Stored) -> None:
        """Removes invalid indexes that the statement left. Raises psycopg.Error."""
        if effect.kind == "index":
            self._await_builds(effect)
            for index in self._new(effect, stored):
                if not index.valid:
                    self._drop(index.schema, index.name)
        elif effect.kind == "reindex":
            known = {tuple(name) for name in stored.get("before", ())}
            for (schema, name), building in self._left_by_reindex(effect):
                if (schema, name) not in known and not building:
                    self._drop(schema, name)

    def after(self, effect: Effect, stored: Stored) -> None:
        """Raises MigrationStopped where the statement succeeded and IF NOT EXISTS hid that its index is not there."""
        if effect.kind != "index" or not effect.if_not_exists:
            return
        index = next((i for i in self._indexes(effect) if i.name == effect.name), None)
        if index is None:
            raise MigrationStopped(
                f"IF NOT EXISTS was skipped: the name {effect.name} is taken by something that is no index of {effect.table}",
                next="give the index another name",
            )
        if index.name in stored.get("before", ()) and not self._equal(effect, index):
            raise _differs(effect, index)

    def _refuse_invalid(self, effect: Effect) -> None:
        self._await_builds(effect)
        for index in self._indexes(effect):
            if index.name == effect.name and not index.valid:
                raise MigrationStopped(
                    f"index {effect.name} is there and invalid: a build that failed left it, and it was not this ledger's",
                    next=f"DROP INDEX CONCURRENTLY {_name(index.schema, index.name)}, then run up again",
                )

    def _index_found(self, effect: Effect, stored: Stored) -> Found:
        self._await_builds(effect)
        again: Found = "again"
        for index in self._new(effect, stored):
            if not index.valid:
                self._progress(f"dropping the unfinished index {index.name}")
                self._drop(index.schema, index.name)
            elif self._equal(effect, index):
                return "done"
            elif effect.name:
                raise _differs(effect, index)
        return again

    def half_done(self, effect: Effect) -> bool:
        """Has a statement that failed left something that only its end can mend: a partition half detached?"""
        return effect.kind == "detach" and self._attached(effect) == "half"

    def _detach_found(self, effect: Effect, stored: Stored) -> Found:
        attached = self._attached(effect)
        if not attached:
            # What was no partition before either is for the server to refuse.
            return "done" if stored.get("attached") else "again"
        if attached == "whole":
            return "again"
        table, name = _name(effect.table_schema, effect.table), _name(effect.schema, effect.name)
        self._simple.run(f"ALTER TABLE {table} DETACH PARTITION {name} FINALIZE".encode())
        return "done"

    def _attached(self, effect: Effect) -> Literal["", "half", "whole"]:
        table, name = _name(effect.table_schema, effect.table), _name(effect.schema, effect.name)
        rows = self._ask("probe_detach", name=name, table=table)
        return ("half" if rows[0][0] else "whole") if rows else ""

    def _indexes(self, effect: Effect) -> list[_Index]:
        rows = self._ask("probe_indexes", table=_name(effect.table_schema, effect.table))
        return [_Index(*row) for row in rows]

    def _new(self, effect: Effect, stored: Stored) -> Sequence[_Index]:
        """The statement's own: not there before, and of its name where it has one."""
        known = set(stored.get("before", ()))
        return [i for i in self._indexes(effect) if i.name not in known and effect.name in ("", i.name)]

    def _await_builds(self, effect: Effect) -> None:
        """An index that is not valid may be one that is being built: then its builder is waited for."""
        told = False
        while any(i.building and not i.valid and effect.name in ("", i.name) for i in self._indexes(effect)):
            if not told:
                self._progress(f"a session is building an index of {effect.table}: waiting for it")
            told = True
            time.sleep(_PAUSE)

    def _equal(self, effect: Effect, index: _Index) -> bool:
        """Does the server write the statement's index as it writes this one? Tried on an empty copy of the table.

        Raises MigrationStopped where the trial fails: nothing then tells that it is the statement's index.
        """
        copy = sql.SQL("CREATE TEMP TABLE dbtrust_trial (LIKE {})")
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(b"SET LOCAL client_min_messages = error")
                self._connection.execute(copy.format(_identifier(effect.table_schema, effect.table)))
                self._connection.execute(effect.trial.encode())
                wanted = [_Index(*row) for row in self._ask("probe_indexes", table="pg_temp.dbtrust_trial")]
        except psycopg.Error as error:
            if self._simple.lost:
                raise
            raise _incomparable(index, error) from error
        return wanted[0].unique == index.unique and _rest(wanted[0]) == _rest(index)

    def _left_by_reindex(self, effect: Effect) -> list[tuple[tuple[str, str], bool]]:
        name = _name(effect.schema, effect.name) if effect.of else None
        return [((row[0], row[1]), row[2]) for row in self._ask("probe_reindex", name=name)]

    def _drop(self, schema: str, name: str) -> None:
        """One of a TOAST table, which its owner may not name, stays: REINDEX passes it over. Raises psycopg.Error."""
        statement = f"DROP INDEX CONCURRENTLY IF EXISTS {_name(schema, name)}"
        try:
            self._simple.run(statement.encode())
        except psycopg.Error as error:
            if error.sqlstate != _NO_RIGHT or not schema.startswith("pg_toast"):
                raise
            self._progress(f"an unfinished index of a TOAST table stays, for a superuser: {statement}")

    def _is_there(self, name: str) -> bool:
        return bool(self._ask("probe_relation", name=name)[0][0])

    def _ask(self, question: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(load(question), values).fetchall()


def _name(schema: str | None, name: str) -> str:
    return _identifier(schema, name).as_string()


def _identifier(schema: str | None, name: str) -> sql.Identifier:
    return sql.Identifier(schema, name) if schema else sql.Identifier(name)


def _rest(index: _Index) -> str:
    """The definition behind the names of the index and its table."""
    return index.definition.partition(" USING ")[2]


def _differs(effect: Effect, index: _Index) -> MigrationStopped:
    return MigrationStopped(
        f"index {effect.name} of {effect.table} is there with another definition: {index.definition}",
        next="drop it, or give the new one another name",
    )


def _incomparable(index: _Index, error: psycopg.Error) -> MigrationStopped:
    right = isinstance(error, psycopg.errors.InsufficientPrivilege)
    grant = "GRANT TEMP ON DATABASE to this role (it is tried on a temporary table), or " if right else ""
    said = f"index {index.name} is there and cannot be compared with its statement"
    return MigrationStopped(
        f"{said}: {describe(error)}: {index.definition}",
        next=f"{grant}drop it, or give the new one another name",
    )
