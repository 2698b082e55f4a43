"""Runs migrations on one PostgreSQL database with its ledger (docs/decisions/0040-postgres-runner.md)."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg.conninfo import make_conninfo

from dbtrust.engine.postgres.connect import connect, no_free_connection, read_url
from dbtrust.engine.postgres.errors import describe, lost
from dbtrust.engine.postgres.exclusive import LEASE_SECONDS, Exclusive
from dbtrust.engine.postgres.ledger import Ledger
from dbtrust.engine.postgres.simple import Simple
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ServerError
from dbtrust.model.ledger import LEDGER, Entry, MigrationStopped, Origin, StepEntry
from dbtrust.model.location import NOWHERE
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration, Script

if TYPE_CHECKING:
    from dbtrust.engine.postgres.watch import Way
    from dbtrust.migrate.postgres_work import Work

#: How the lock is held; "auto" is a lease only where a pooler stands between.
Mode = Literal["auto", "lock", "lease"]
#: Seconds after which a session that an earlier run left is ended, where the server has not noticed by itself.
_GRACE_SECONDS = 10.0


class PostgresRunner:
    """The runner of one database. It connects when it is first asked something; `close` ends its connections.

    `lock_wait` is how many seconds `locked` waits for another runner (None: without end). `mode` and
    `lease_seconds` choose how the lock is held. `root` is the project's folder; files are not read from it.
    """

    engine: Engine = "postgres"

    def __init__(
        self,
        url: str,
        *,
        root: Path,
        lock_wait: float | None = None,
        mode: Mode = "auto",
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        del root
        self._url, self._wait, self._mode, self._lease_seconds = url, lock_wait, mode, lease_seconds
        self._name = f"dbtrust migrate {os.urandom(4).hex()}"
        self._lock: Exclusive | None = None
        self._settings = b""
        self._way: Way | None = None

    @property
    def version(self) -> str:
        number = self._connection.info.server_version
        return f"{number // 10000}.{number % 10000}"

    def entries(self) -> dict[int, Entry]:
        with self._told():
            return self._ledger.entries()

    @contextmanager
    def locked(self, progress: Progress) -> Generator[None]:
        with self._told():
            self._prepare()
            lock = Exclusive(self._open, self._ledger, self._name, lease=self._lease())
        try:
            with self._told():
                lock.acquire(self._wait, progress, self._ledger.create)
                if lock.left_by is not None:
                    self._end_sessions_of(lock, lock.left_by, progress)
            self._lock = lock
            yield
        finally:
            self._lock = None
            lock.release()

    def check(self, migration: Migration) -> None:
        """The server alone says what is SQL."""

    def up(self, migration: Migration, entry: Entry | None, progress: Progress) -> Entry:
        # The grammar is not needed to see that there is nothing to do.
        from dbtrust.migrate.postgres_transaction import run_transaction

        assert migration.up is not None
        with self._told():
            work = self._work(migration, migration.up, "up", progress)
            if entry is not None and entry.state == "reverting":
                raise MigrationStopped(
                    f"the down of migration {migration.number} was interrupted", location=migration.location,
                    next="finish it with dbtrust migrate down, then run up again",
                )  # fmt: skip
            if _in_transaction(migration.up) and (entry is None or not entry.steps):
                from dbtrust.migrate.postgres_transaction import run_transaction

                duration = run_transaction(work, self._replacing(work, entry), self._reset())
                return self._entry(migration, duration)
            self._up_steps(work, entry)
        return self.entries()[work.number]

    def down(self, migration: Migration, entry: Entry, progress: Progress) -> None:
        from dbtrust.migrate.postgres_transaction import run_transaction

        if migration.down is None:
            raise MigrationStopped(
                f"migration {migration.number} has no down", location=migration.location,
                next=f"write {migration.number}_{migration.name}.down.sql",
            )  # fmt: skip
        with self._told():
            work = self._work(migration, migration.down, "down", progress)
            if _in_transaction(migration.down) and entry.state != "reverting":
                from dbtrust.migrate.postgres_transaction import run_transaction

                remove = self._ledger.remove(work.number)
                run_transaction(work, lambda _: remove, self._reset())
            else:
                self._down_steps(work, entry)

    def record(self, migration: Migration, origin: Origin) -> None:
        with self._told():
            work = self._work(migration, migration.up or migration.down or _EMPTY, "record", silent)
            work.write(self._ledger.remove(work.number), self._adding(work, origin)(None))

    def forget(self, migration: Migration) -> None:
        with self._told():
            work = self._work(migration, migration.up or migration.down or _EMPTY, "forget", silent)
            work.write(self._ledger.remove(work.number))

    def settle(self, migration: Migration, entry: Entry, *, done: bool) -> None:
        """Says of the interrupted step of a half-run migration that it is done, or that it has not begun.

        The migration stays half-run; `up` goes on behind that step or with it.
        """
        step = next((s for s in entry.steps if s.state == "running"), None)
        if step is None:
            return
        with self._told():
            work = self._work(migration, migration.up or _EMPTY, "settle", silent)
            if done:
                work.write(
                    self._ledger.set_state(work.number, step.step, "done", None, step.checksum, step.text)
                )
            else:
                work.write(self._ledger.remove(work.number, step.step))

    def can_undo(self, migration: Migration) -> bool:
        return migration.down is not None

    def close(self) -> None:
        if "_connection" in self.__dict__:
            self._connection.close()

    # Steps

    def _up_steps(self, work: Work, entry: Entry | None) -> None:
        from dbtrust.migrate.postgres_steps import steps_of

        steps = steps_of(work)
        if entry is None:
            first = self._adding(work, "applied", "running")(None)
        else:
            first = self._state(work, "running", work.migration.checksum, work.migration.text)
        started = time.monotonic()
        runner = self._steps(work, entry.steps if entry is not None else ())
        runner.run(steps, first)
        self._reset_now()
        self._verified(work)
        duration = (time.monotonic() - started) * 1000
        last = b"" if steps or entry is not None else first
        work.amend(last, self._state(work, "done", work.migration.checksum, work.migration.text, duration))

    def _verified(self, work: Work) -> None:
        """Runs the down where a verify line is not true. Raises MigrationStopped for it."""
        wrong = work.verify(work.script.verify)
        if wrong is None:
            return
        if work.migration.down is None:
            wrong.message += "; the migration stays half applied, for it has no down"
            wrong.next = "mend what the line says, then run up again: it asks once more"
            raise wrong
        entry = self._ledger.entries()[work.number]
        try:
            self.down(work.migration, entry, work.watch.progress)
        except MigrationStopped as error:
            from dbtrust.migrate.postgres_transaction import BACK

            # What the down's own transaction left is nothing, but the up was none.
            stays = "its steps stay" if _in_transaction(work.migration.down) else "it is half undone"
            said = error.message.removesuffix(f"; {BACK}")
            raise MigrationStopped(
                f"{wrong.message}; its down failed: {said}; {stays}", location=error.location,
                next="mend the down, or what the line says, then run up again",
            ) from error  # fmt: skip
        raise MigrationStopped(
            f"{wrong.message}; its down was run",
            location=wrong.location,
            next="mend the migration or the line",
        )

    def _down_steps(self, work: Work, entry: Entry) -> None:
        from dbtrust.migrate.postgres_steps import steps_of

        steps = steps_of(work)
        if entry.state != "reverting":
            begin = self._state(work, "reverting", entry.checksum, entry.source or "")
            work.write(begin, self._ledger.remove(work.number, 1))
        runner = self._steps(work, entry.steps if entry.state == "reverting" else ())
        runner.run(steps, b"")
        self._reset_now()
        work.write(self._ledger.remove(work.number))

    def _steps(self, work: Work, known: tuple[StepEntry, ...]) -> Any:
        from dbtrust.engine.postgres.probe import Prober
        from dbtrust.migrate.postgres_steps import Steps

        return Steps(work, Prober(self._connection, work.simple, work.watch.progress), known)

    # The ledger

    def _adding(self, work: Work, origin: Origin, state: str = "done") -> Callable[[float | None], bytes]:
        migration = work.migration

        def add(duration: float | None) -> bytes:
            return self._ledger.add(
                work.number, 0, state, written=migration.number, name=migration.name, origin=origin,
                checksum=migration.checksum, source=migration.text, duration_ms=duration,
            )  # fmt: skip

        return add

    def _replacing(self, work: Work, entry: Entry | None) -> Callable[[float], bytes]:
        """The row of a migration that is applied, in place of the one of a run that did nothing."""
        gone = b"" if entry is None else self._ledger.remove(work.number)
        add = self._adding(work, "applied")
        return lambda duration: gone + add(duration)

    def _state(
        self, work: Work, state: str, checksum: str, source: str, duration: float | None = None
    ) -> bytes:
        return self._ledger.set_state(work.number, 0, state, duration, checksum, source)

    def _entry(self, migration: Migration, duration: float) -> Entry:
        return Entry(
            int(migration.number), migration.number, migration.name, "postgres", "done", "applied", migration.checksum,
            migration.text, duration_ms=duration,
        )  # fmt: skip

    # Connections

    @cached_property
    def _connection(self) -> psycopg.Connection[Any]:
        return self._open()

    @cached_property
    def _simple(self) -> Simple:
        return Simple(self._connection)

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self._connection, self._simple)

    def _open(self) -> psycopg.Connection[Any]:
        """Its application_name is how a later run finds what this one left on the server."""
        read_url(self._url)
        url = make_conninfo(
            self._url, application_name=self._name, keepalives_idle=30, keepalives_interval=10, keepalives_count=3
        )  # fmt: skip
        return connect(url)

    def _lease(self) -> float | None:
        """Seconds of a lease; None where sessions are whole, and an advisory lock is enough."""
        if self._mode == "auto":
            row = self._connection.execute(b"SELECT pg_backend_pid()").fetchone()
            pooled = row is None or row[0] != self._connection.info.backend_pid
            return self._lease_seconds if pooled else None
        return self._lease_seconds if self._mode == "lease" else None

    def _prepare(self) -> None:
        """Settings by which the server notices that this process is gone, and finds its sessions.

        Behind a pooler RESET ALL also takes the name that the session was opened with.
        """
        from dbtrust.engine.postgres.sql import load

        rows = self._connection.execute(load("runner_settings")).fetchall()
        rows.append(("application_name", self._name))
        calls = ", ".join(f"pg_catalog.set_config('{name}', '{value}', false)" for name, value in rows)
        self._settings = f"SELECT {calls}".encode()
        self._simple.run(self._settings)

    def _reset(self) -> bytes:
        """No migration finds the settings of the one before it."""
        return b"RESET SESSION AUTHORIZATION;RESET ALL;" + self._settings

    def _reset_now(self) -> None:
        self._simple.run(self._reset())

    def _work(self, migration: Migration, script: Script, verb: str, progress: Progress) -> Work:
        """Imports what only a change needs: a run with nothing to do pays for no grammar."""
        from dbtrust.engine.postgres.watch import Watch, Way
        from dbtrust.migrate.postgres_work import Work

        if self._lock is None:
            raise MigrationStopped("the lock is not held", next="call this inside locked()")
        self._way = self._way or Way()
        watch = Watch(self._lock, self._ledger, self._name, progress, self._way)
        self._simple.watch = watch
        return Work(migration, script, self._simple, self._ledger, self._lock, watch, verb)

    def _end_sessions_of(self, lock: Exclusive, holder: str, progress: Progress) -> None:
        """A killed runner's statement may still run on the server: it is waited for, and ended where it only waits.

        An index build is left to finish; anything else ends by itself within seconds, or is ended then.
        """
        started, told, pause = time.monotonic(), False, 0.05
        while rows := lock.ask(self._ledger.sql("runner_left", holder=holder)):
            for pid, state, phase in rows:
                late = time.monotonic() - started > _GRACE_SECONDS
                if not phase and (late or str(state).startswith("idle in")):
                    lock.ask(b"SELECT pg_terminate_backend(%d)" % pid)
                elif not told:
                    progress(
                        f"an earlier run was killed; its statement still runs in process {pid}: waiting for it"
                    )
                    told = True
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    @contextmanager
    def _told(self) -> Generator[None]:
        """The driver's errors as ours."""
        try:
            yield
        except psycopg.Error as error:
            if "query_wait_timeout" in str(error):
                raise no_free_connection(describe(error)) from error
            if self._connection.closed or self._simple.lost or lost(error):
                raise ServerError(
                    f"the server was lost: {describe(error)}",
                    next="when it is back, run the same command again: it goes on where the ledger stands",
                ) from error
            if isinstance(error, psycopg.errors.InsufficientPrivilege) and LEDGER in str(error):
                raise self._ledger.refused(error) from error
            raise MigrationStopped(describe(error), next="see the server's log") from error


_EMPTY = Script("", "", NOWHERE)


def _in_transaction(script: Script) -> bool:
    return script.options.get("transaction", "true") != "false"
