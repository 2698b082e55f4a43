"""A PostgreSQL migration tried statement by statement, with the locks that each was seen to take."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from dbtrust.engine.postgres.errors import describe, position
from dbtrust.engine.postgres.footprints import Footprint
from dbtrust.engine.postgres.measure import Known, Measured, known, run_measured, run_measured_alone
from dbtrust.engine.postgres.scripts import Piece, ScriptFailed
from dbtrust.engine.postgres.timeouts import timeouts
from dbtrust.engine.runs import Run
from dbtrust.migrate.left_behind import left_behind
from dbtrust.model.location import locate
from dbtrust.model.progress import Progress
from dbtrust.model.project import Config, Migration, Script
from dbtrust.model.report import Finding, ServerInfo
from dbtrust.stage.bare import bare_postgres
from dbtrust.stage.history import apply_postgres, in_transaction
from dbtrust.stage.lent_server import seen
from dbtrust.stage.scripts import pieces_of


@contextmanager
def open_trial(
    config: Config, run: Callable[[], Run], url: str | None, progress: Progress, findings: list[Finding]
) -> Generator[PostgresTrial]:
    """An empty database, embedded or on the server of `url`; adds what a server of the user's keeps. Raises ServerError."""
    with (
        bare_postgres(config, run, url, progress) as scratch,
        left_behind(scratch, findings),
        scratch.round(),
        scratch.temporary(scratch.create("plan")) as name,
        scratch.owner(name) as connection,
    ):
        info = ServerInfo(scratch.host.version, scratch.host.embedded)
        yield PostgresTrial(connection, scratch.host.owner_url(name), info, scratch.footprint())


class PostgresTrial:
    """`footprint` is what the migrations make outside of the database on a server of the user's."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        url: str,
        info: ServerInfo,
        footprint: Footprint | None = None,
    ) -> None:
        self._connection, self._url, self.info, self._footprint = connection, url, info, footprint

    def build(self, migration: Migration) -> None:
        with seen(self._connection, migration, migration.up, self._footprint):
            apply_postgres(self._connection, migration, footprint=self._footprint)

    def can_undo(self, migration: Migration) -> bool:
        return migration.down is not None

    def steps(self, migration: Migration, found: list[Mapping[str, Any]]) -> None:
        script = migration.up
        assert script is not None
        before = known(self._connection)
        pieces = pieces_of(script.sql, script.file, transaction=in_transaction(script), control=False)
        with (
            seen(self._connection, migration, script, self._footprint),
            timeouts(self._connection, script.options),
        ):
            if not in_transaction(script):
                for piece in pieces:
                    self._step(script, piece, found, lambda piece=piece: self._either(piece, before))
                return
            with self._connection.transaction():
                for piece in pieces:
                    self._step(script, piece, found, lambda piece=piece: self._inside(piece, before))

    def _step(
        self, script: Script, piece: Piece, found: list[Mapping[str, Any]], work: Callable[[], Measured]
    ) -> None:
        try:
            measured = work()
        except psycopg.Error as error:
            at = position(error)
            place = locate(script.sql, piece.offset + (at - 1 if at else 0), script.file)
            raise ScriptFailed(describe(error), place, error.sqlstate) from error
        found.append(_told(script, piece, measured))

    def _inside(self, piece: Piece, before: Known) -> Measured:
        return run_measured(self._connection, piece, before)

    def _either(self, piece: Piece, before: Known) -> Measured:
        """In a transaction of its own, as the runner does it; outside where the server refuses that."""
        try:
            with self._connection.transaction():
                return self._inside(piece, before)
        except errors.ActiveSqlTransaction:
            return run_measured_alone(self._connection, self._url, piece, before)
        except errors.InvalidTransactionTermination:
            return run_measured_alone(self._connection, self._url, piece, before, at_least_once=True)


def _told(script: Script, piece: Piece, measured: Measured) -> Mapping[str, Any]:
    notes = [] if measured.transaction else ["outside a transaction; its locks were polled"]
    if measured.at_least_once:
        notes.append("at least once: it commits by itself, so after a crash nobody can say whether it ran")
    return {
        "text": piece.text, "location": locate(script.sql, piece.offset, script.file).to_dict(),
        "transaction": measured.transaction, "at_least_once": measured.at_least_once,
        "locks": [lock.to_dict() for lock in measured.locks], "rewrites": list(measured.rewrites), "notes": notes,
    }  # fmt: skip
