"""A database that grows by one migration after the other, and trials on it that leave nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dbtrust.engine.postgres import questions
from dbtrust.engine.postgres.catalog import snapshot
from dbtrust.engine.postgres.changes import Watched
from dbtrust.engine.postgres.footprints import Footprint
from dbtrust.engine.postgres.scripts import OnSkip, ScriptFailed, settle_rows
from dbtrust.model.catalog import Catalog
from dbtrust.model.project import Migration, Script
from dbtrust.stage.history import Direction, apply_postgres, in_transaction
from dbtrust.stage.lent_server import because_of_server, refuse_at_once, seen
from dbtrust.stage.postgres import STATEMENT_TIMEOUT_MS, PostgresStage

Connection = psycopg.Connection[Any]


@dataclass(slots=True)
class Trial:
    """A state that nobody sees: scripts run on `connection`, `read` tells the catalog as it is now."""

    connection: Connection
    read: Callable[[], Catalog]
    #: Can what is run here be taken back by a savepoint?
    rolled_back: bool
    watched: Watched | None = None
    footprint: Footprint | None = None
    #: Has a half failed behind another one in the same transaction? A tool commits between them.
    failed_behind: bool = False
    _begun: bool = False

    def apply(self, migration: Migration, direction: Direction = "up", on_skip: OnSkip | None = None) -> None:
        """Runs one half of a migration, in a session as fresh as a new one.

        Raises DbtrustError; where it can be, nothing of it is left then.
        """
        behind, self._begun = self._begun, True
        if behind:
            make_fresh(self.connection)
            if self.rolled_back:
                settle_rows(self.connection)
        half = _Half(self.connection, migration, direction, on_skip, self.footprint)
        try:
            half.run() if self.rolled_back else half.run_for_good()
        except ScriptFailed:
            self.failed_behind |= behind and self.rolled_back
            raise


@dataclass(slots=True)
class World:
    """One database of a proof. `catalog` is what it holds between two migrations."""

    stage: PostgresStage
    name: str
    connection: Connection = field(init=False)
    watched: Watched = field(init=False)
    catalog: Catalog = field(init=False)
    #: On a server of the user's: what the history has made outside of this database.
    footprint: Footprint | None = field(init=False)
    #: The numbers of migrations whose halves are right only where each is committed: their trials are copies.
    committed: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        scratch = self.stage.scratch
        self.footprint = scratch.footprint(scratch.base_footprint)
        self._show()
        self._open()

    def _show(self) -> None:
        if self.footprint is not None:
            self.footprint.show()

    def _open(self) -> None:
        self.connection = self.stage.owner(self.name, slow=True)
        self.watched = Watched(self.connection)
        self.catalog = self.watched.mark()

    def close(self) -> None:
        with suppress(psycopg.Error):
            self.connection.close()

    @contextmanager
    def trial(self, migration: Migration, *, copied: bool = False) -> Generator[Trial]:
        """A transaction that is rolled back, or a copy where one of the scripts commits on its own (or `copied`)."""
        self._show()
        if copied or migration.number in self.committed or not alone(migration):
            with self._copy() as trial:
                yield trial
            return
        self.connection.execute("BEGIN")
        try:
            yield Trial(self.connection, self.watched.read, True, self.watched, self.footprint)
        finally:
            if not self.connection.closed:
                self.connection.execute("ROLLBACK")

    @contextmanager
    def _copy(self) -> Generator[Trial]:
        """Nobody may be connected to what is copied."""
        self.connection.close()
        footprint = self.stage.scratch.footprint(self.footprint)
        try:
            with (
                self.stage.copy(self.name) as name,
                self.stage.owner(name, slow=True) as connection,
            ):
                yield Trial(connection, lambda: snapshot(connection), False, footprint=footprint)
        finally:
            if footprint is not None:
                footprint.undo()
            self._again()

    def _again(self) -> None:
        """The same database on a new connection."""
        self.connection = self.stage.owner(self.name, slow=True)
        self.watched.connection = self.connection

    def commit(self, migration: Migration) -> None:
        """Runs the up for good, in a session as fresh as a new one. Raises DbtrustError."""
        self._show()
        run_for_good(self.connection, migration, self.footprint)
        make_fresh(self.connection)
        self.catalog = self.watched.mark()


def make_fresh(connection: Connection) -> None:
    """Takes back what scripts have SET, also for a transaction that goes on, and drops what they made for the session."""
    connection.execute(sql.SQL(_FRESH).format(STATEMENT_TIMEOUT_MS * 10), prepare=False)


#: DISCARD ALL, without the statements that are prepared: those are the proof's own.
_FRESH: LiteralString = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();"
    " DISCARD TEMP; SET statement_timeout = {}"
)


def run_for_good(connection: Connection, migration: Migration, footprint: Footprint | None) -> None:
    """Applies an up and commits it, with what it makes outside the database in the footprint. Raises DbtrustError."""
    _Half(connection, migration, "up", None, footprint).run_for_good()


@dataclass(frozen=True, slots=True)
class _Half:
    """One half of a migration on its way to a database."""

    connection: Connection
    migration: Migration
    direction: Direction
    on_skip: OnSkip | None
    footprint: Footprint | None

    def run_for_good(self) -> None:
        """What it makes on a server of the user's is seen around it. Raises DbtrustError."""
        with seen(self.connection, self.migration, self._script, self.footprint):
            self.run()

    def run(self) -> None:
        """Raises DbtrustError. The proof's own statements that it has deallocated are prepared again later."""
        script = self._script
        refuse_at_once(script, self.footprint)
        try:
            apply_postgres(
                self.connection, self.migration, direction=self.direction, on_skip=self.on_skip,
                footprint=self.footprint,
            )  # fmt: skip
        except ScriptFailed as error:
            if self.footprint is not None:
                because_of_server(error, self.migration, self.footprint)
            raise
        finally:
            if script is not None and _DEALLOCATES.search(script.sql) and not self.connection.closed:
                questions.forget(self.connection)

    @property
    def _script(self) -> Script | None:
        return self.migration.up if self.direction == "up" else self.migration.down


_DEALLOCATES = re.compile(r"\b(DEALLOCATE|DISCARD)\b", re.IGNORECASE)


def alone(migration: Migration) -> bool:
    """Do both halves run in a transaction, so that one that is rolled back can hold them?"""
    assert migration.up is not None
    return in_transaction(migration.up) and (migration.down is None or in_transaction(migration.down))
