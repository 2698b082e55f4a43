"""Databases of dbtrust's own on a server, embedded or not: created, copied and always dropped again."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, LiteralString, Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from dbtrust.engine.postgres.connect import connect, read_url
from dbtrust.engine.postgres.errors import describe
from dbtrust.engine.postgres.footprints import Footprint, Guest
from dbtrust.engine.postgres.sql import load
from dbtrust.engine.postgres.take_back import recover
from dbtrust.model.errors import ServerError

#: Every scratch database carries this prefix; a run's own ones also its id.
PREFIX = "dbtrust_"


class Host(Protocol):
    """A server that scratch databases can be made on."""

    @property
    def version(self) -> str: ...
    @property
    def embedded(self) -> bool: ...
    def admin_url(self, database: str = ...) -> str: ...
    def owner_url(self, database: str) -> str: ...


class TargetHost:
    """A server of the user's, named by URL: the role of the URL is both administrator and owner."""

    embedded = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = read_url(url).get("dbname") or "postgres"
        with connect(url) as connection:
            self.version = server_version(connection)

    def admin_url(self, database: str = "") -> str:
        return make_conninfo(self._url, dbname=database or str(self._database))

    def owner_url(self, database: str) -> str:
        return make_conninfo(self._url, dbname=database)


def server_version(connection: psycopg.Connection[Any]) -> str:
    """The version as PostgreSQL writes it, for example "17.10"."""
    number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


class Scratch:
    """Makes and drops the databases of one run. Thread-safe; `close` drops what is left.

    On a server that outlives the run each run holds an advisory lock (keyed by its id, in the database of the
    URL), so that a later run can tell the left-overs of a killed one from those of a living one and drop them.
    """

    def __init__(
        self, host: Host, extensions: Sequence[str] = (), *, settings: Mapping[str, Any] | None = None,
        uuid_stand_in: bool = False,
    ) -> None:  # fmt: skip
        self.host = host
        #: A server of the user's keeps its own configuration: the project's settings go with each database.
        self._settings = {"TimeZone": "UTC", **(settings or {})} if not host.embedded else {}
        self._extensions = tuple(extensions)
        #: Has each new database functions of the names that uuid-ossp would bring?
        self._uuid_stand_in = uuid_stand_in
        #: A database that every new one begins as a copy of; None: they begin empty.
        self.base: str | None = None
        #: What the scripts of `base` made outside of it.
        self.base_footprint: Footprint | None = None
        self._run = secrets.token_hex(4)
        self._names: list[str] = []
        self._lock = threading.Lock()
        self._admin = connect(host.admin_url())
        #: On a server of the user's: what scripts make there outside their databases.
        self.guest: Guest | None = None
        #: What killed runs had left outside their databases: it is gone; it is there for a reason.
        self.swept, self.not_swept = list[str](), list[str]()
        if not host.embedded:
            self.guest = Guest(self._run, self.admin, lambda purpose: self._run_sql(_EMPTY, purpose))
            self._admin.execute(_LOCK, [int(self._run, 16)])
            self._sweep()

    def _sweep(self) -> None:
        """Drops what runs left that are dead; the database with the journal of a run goes last."""
        rows = self._admin.execute(load("scratch_databases")).fetchall()
        for run in dict.fromkeys(run for run, _, _ in rows):
            if self._admin.execute(_TRY_LOCK, [int(run, 16)]).fetchone() != (True,):
                continue
            names = {name: text for other, name, text in rows if other == run}
            for name in [n for n, text in names.items() if text is None]:
                self.drop(name)
            for name in [n for n, text in names.items() if text is not None]:
                gone, stays = recover(self._admin, lambda name=name: self.admin(name), run, names[name])
                self.swept += gone
                self.not_swept += stays
                self.drop(name)
            self._admin.execute(_UNLOCK, [int(run, 16)])

    def create(self, purpose: str, *, exact: bool = False) -> str:
        """A new empty database with the project's extensions; its name (`purpose` itself if exact). Raises ServerError.

        With `base` it is a copy of that one instead.
        """
        if self.base is not None:
            return self.copy(self.base, purpose, exact=exact)
        name = self._run_sql(_COPIED if self.host.embedded else _EMPTY, purpose, exact=exact)
        self._prepare(name)
        with connect(self.host.admin_url(name)) as connection:
            for extension in self._extensions:
                self._create_extension(connection, extension)
            if self._uuid_stand_in:
                connection.execute(load("uuid_stand_in"))
        return name

    def _create_extension(self, connection: psycopg.Connection[Any], extension: str) -> None:
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(extension))
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            step = "install the extension on that server or take it out of [postgres] extensions"
            raise ServerError(f"extension {extension}: {describe(error)}", next=step) from error

    def copy(self, source: str, purpose: str, *, exact: bool = False) -> str:
        """A copy of a database that nobody is connected to; its name. Raises ServerError."""
        name = self._run_sql(
            "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", purpose, source, exact=exact
        )
        self._prepare(name)
        return name

    def _prepare(self, name: str) -> None:
        for setting, value in self._settings.items():
            statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
            self._admin.execute(
                statement.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(str(value)))
            )
        owner = conninfo_to_dict(self.host.owner_url(name)).get("user")
        if self.host.embedded and owner:
            self._admin.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
                    sql.Identifier(name), sql.Identifier(str(owner))
                )
            )

    def _run_sql(self, template: LiteralString, purpose: str, *names: str, exact: bool = False) -> str:
        name = purpose if exact else f"{PREFIX}{self._run}_{purpose}_{secrets.token_hex(3)}"
        identifiers = [sql.Identifier(n) for n in (name, *names)]
        with self._lock:
            if not exact:
                # Noted before it is there: an interrupted statement may make it all the same.
                self._names.append(name)
            try:
                self._admin.execute(sql.SQL(template).format(*identifiers))
            except psycopg.Error as error:
                if not exact and not self._admin.closed:
                    self._names.remove(name)
                step = "the role needs CREATEDB, and the server space for a copy"
                raise ServerError(f"no scratch database: {describe(error)}", next=step) from error
            if exact:
                self._names.append(name)
        return name

    def _end_interrupted(self) -> None:
        """A statement that an interrupt left running is ended first: what it makes cannot be seen before. Raises psycopg.Error."""
        if self._admin.closed or self._admin.info.transaction_status != TransactionStatus.ACTIVE:
            return
        running, self._admin = self._admin, connect(self.host.admin_url())
        self._admin.execute("SELECT pg_terminate_backend(%s, 10000)", [running.info.backend_pid])
        running.close()
        self._admin.execute(_LOCK, [int(self._run, 16)])

    def drop(self, name: str) -> None:
        with self._lock:
            self._admin.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            if name in self._names:
                self._names.remove(name)

    def admin(self, name: str) -> psycopg.Connection[Any]:
        return connect(self.host.admin_url(name))

    def owner(self, name: str, *, statement_timeout_ms: int | None = None) -> psycopg.Connection[Any]:
        return connect(self.host.owner_url(name), statement_timeout_ms=statement_timeout_ms)

    @contextmanager
    def temporary(self, name: str) -> Generator[str]:
        """Drops the database `name` at the end of the block."""
        try:
            yield name
        finally:
            with suppress(psycopg.Error):
                self.drop(name)

    def footprint(self, parent: Footprint | None = None) -> Footprint | None:
        """Of a new database (a copy of the parent's): what its scripts make outside of it. None on a server of ours."""
        return self.guest.footprint(parent) if self.guest is not None else None

    @contextmanager
    def round(self) -> Generator[None]:
        """What scripts make outside their databases in the block goes at its end; these are gone by then."""
        with self.guest.round() if self.guest is not None else nullcontext():
            yield

    def close(self) -> None:
        """Drops what is left (an embedded server is deleted as a whole) and ends the connection."""
        if self.guest is not None:
            with suppress(psycopg.Error, ServerError):
                self._end_interrupted()
            for name in [name for name in self._names if name != self.guest.journal.name]:
                with suppress(psycopg.Error):
                    self.drop(name)
            self.guest.close()
            with suppress(psycopg.Error):
                if self.guest.journal.name:
                    self.drop(self.guest.journal.name)
        self._admin.close()


_EMPTY: LiteralString = "CREATE DATABASE {} TEMPLATE template0"
#: Half the time; its two checkpoints cost nothing on a server of ours, which has next to nothing to write.
_COPIED: LiteralString = "CREATE DATABASE {} TEMPLATE template0 STRATEGY FILE_COPY"
_LOCK = "SELECT pg_advisory_lock(hashtext('dbtrust scratch'), ('x' || lpad(to_hex(%s::bigint), 8, '0'))::bit(32)::int)"
_TRY_LOCK = _LOCK.replace("pg_advisory_lock", "pg_try_advisory_lock")
_UNLOCK = _LOCK.replace("pg_advisory_lock", "pg_advisory_unlock")
