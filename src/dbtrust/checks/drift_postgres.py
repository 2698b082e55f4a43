"""Drift of a live PostgreSQL database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg

from dbtrust.checks.drift import DriftHalf
from dbtrust.engine.postgres.binaries import find_postgres
from dbtrust.engine.postgres.catalog import Refusals, snapshot
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.reading import owner_of, reading
from dbtrust.engine.postgres.scratch import server_version
from dbtrust.model.catalog import Catalog
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ServerError
from dbtrust.model.report import ServerInfo
from dbtrust.schema.drift import Live, whole
from dbtrust.schema.drift_postgres import judge_drift
from dbtrust.source.find import Places
from dbtrust.source.project import Project
from dbtrust.stage.postgres import open_postgres


class PostgresDrift(DriftHalf):
    """The live catalog is read in one READ ONLY transaction; the declared one is built on an embedded server."""

    engine: Engine = "postgres"
    _found: Catalog | None = None
    _live: Live
    _refusals: Refusals
    _owner = ""

    def open(self) -> None:
        assert self._url is not None
        self.progress("reading the live catalog")
        with reading(self._url) as connection:
            version = server_version(connection)
            self._live = replace(self.live, database=connection.info.dbname, version=version)
            self.info = ServerInfo(version, embedded=False)
            self._refusals = Refusals()
            try:
                self._found = snapshot(connection, self._refusals)
                self._owner = owner_of(connection)
            except psycopg.Error as error:
                if connection.broken:
                    raise
                self._unread(error)

    def _unread(self, error: psycopg.Error) -> None:
        late = isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable)
        message = f"the catalog cannot be read: {describe(error)}"
        step = "run it again when no migration holds its locks" if late else "run it again"
        reason = "timeout" if late else "server_error"
        self.verdicts.append(whole(self._live, "unproved", message, reason=reason, next=step))

    def parts(self) -> list[Callable[[], None]]:
        return [self._drift] if self._found is not None else []

    def connection_errors(self) -> tuple[type[Exception], ...]:
        return (psycopg.OperationalError,)

    def _drift(self) -> None:
        assert self._found is not None
        declared = self._declared()
        if declared is None:
            return
        self.progress("comparing the catalogs")
        verdicts, left_out = judge_drift(
            self._live, declared, self._found, self._refusals.of, self._owner, Places(self.project).of,
            column_order=self.column_order,
        )  # fmt: skip
        self.verdicts += verdicts
        self.not_examined += left_out

    def _declared(self) -> Catalog | None:
        """What the project builds on the target's major where that is installed, else on its own."""
        project = _bare(self.project, self._live.version)
        with open_postgres(project, self._run, None, self.progress) as stage:
            catalog = stage.catalog()
            if catalog is None:
                self.unbuilt(self._live, stage.version, stage.errors)
                return None
            self._live = replace(self._live, declared_on=stage.version)
            return catalog


def _bare(project: Project, live: str) -> Project:
    """The project without data, on the live server's major if that can be had here."""
    config = project.config
    assert config.postgres is not None
    major = live.partition(".")[0]
    try:
        find_postgres(major)
    except ServerError:
        major = config.postgres.version
    postgres = replace(config.postgres, version=major)
    return replace(project, config=replace(config, data=(), postgres=postgres))
