"""The runner of MongoDB's migrations: a ledger, a lease on it, and steps that a crash leaves ready to be finished."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo.errors import PyMongoError

from dbtrust.engine.mongo.connect import connect
from dbtrust.engine.mongo.lease import Holder, new_run, whoami
from dbtrust.engine.mongo.ledger import (
    LeaseLost,
    Ledger,
    LedgerGone,
    NewerLedger,
    migration_document,
    step_document,
)
from dbtrust.engine.mongo.urls import database_of
from dbtrust.migrate.runner import MigrationStopped
from dbtrust.model.engine import Engine
from dbtrust.model.errors import ConfigError
from dbtrust.model.ledger import Entry, Origin, StepEntry
from dbtrust.model.progress import Progress, silent
from dbtrust.model.project import Migration
from dbtrust.model.version import VERSION
from dbtrust.source.migrations import Loader

if TYPE_CHECKING:
    from pymongo import MongoClient

    from dbtrust.engine.mongo.exact import Batches
    from dbtrust.engine.mongo.traps import TransactionTrap
    from dbtrust.migrate.work_mongo import Tools, Work

#: How often a waiting runner asks for the lease, in seconds: between the two.
_POLL = (0.1, 0.3)
#: So many migrations' steps are read at once when several are undone.
_AHEAD = 100


class MongoRunner:
    """One MongoDB database with its ledger. `lock_wait`: seconds to wait for another runner, None: as long as it takes.

    Raises ConfigError for a URL that cannot be read or names no database, ServerError where nothing answers.
    """

    engine: Engine = "mongo"

    def __init__(self, url: str, *, root: Path, lock_wait: float | None = None) -> None:
        name = database_of(url)
        if not name:
            raise ConfigError(
                "the URL of the MongoDB target names no database", next="write mongodb://HOST:PORT/NAME"
            )
        self._url, self._lock_wait, self._load = url, lock_wait, Loader(root)
        self._run = new_run()
        self._client = connect(url, appname=_appname(self._run))
        self._db = self._client[name]
        self._ledger = Ledger(self._db)
        self._known: dict[int, Entry] = {}
        self._steps: dict[str, tuple[StepEntry, ...]] = {}
        self._undone = False
        self._theirs: MongoClient[Any] | None = None
        self._trap: TransactionTrap | None = None

    @property
    def version(self) -> str:
        return self._version

    @cached_property
    def _version(self) -> str:
        with self._reading("asking for the version"):
            return str(self._client.server_info()["version"])

    def close(self) -> None:
        for client in (self._theirs, self._client):
            if client is not None:
                client.close()

    # --- the ledger

    def entries(self) -> dict[int, Entry]:
        with self._reading("reading the ledger"):
            if self._ledger.lease is not None:
                self._ledger.flush()
            self._known = self._ledger.read()
        self._steps.clear()
        return dict(self._known)

    def record(self, migration: Migration, origin: Origin) -> None:
        """The steps that ran keep their rows: undoing them needs what was there before. The others were run by hand."""
        with self._reading(f"writing migration {migration.number} down"):
            key = str(int(migration.number))
            self._ledger.flush()
            rows = self._ledger.steps(key)
            by_hand = [
                step_document(key, row) | {"state": "removed"} for row in rows if row.state == "pending"
            ]
            rows = [replace(row, state="done") for row in rows if row.state == "running"]
            entry = replace(self._begun(migration), state="done", origin=origin)
            self._ledger.write(
                migration_document(entry), *by_hand, *(step_document(key, row) for row in rows)
            )

    def forget(self, migration: Migration) -> None:
        with self._reading(f"taking migration {migration.number} out"):
            self._ledger.remove(str(int(migration.number)))
            self._ledger.flush()

    def settle(self, migration: Migration, entry: Entry, *, done: bool) -> None:
        """The step's row says whether it is in force: one whose undo has run is not."""
        with self._reading(f"writing migration {migration.number} down"):
            in_force = done != (entry.state == "reverting")
            rows = [row for row in entry.steps if row.state == "running"]
            settled = [
                replace(row, state="done") if in_force else replace(row, state="pending", stored={})
                for row in rows
            ]
            self._ledger.write(*(step_document(str(entry.number), row) for row in settled))

    # --- the lock

    @contextmanager
    def locked(self, progress: Progress) -> Generator[None]:
        from dbtrust.engine.mongo.heartbeat import Heartbeat

        with self._reading("taking the lease of the ledger"):
            self._acquire(progress)
        try:
            with Heartbeat(self._db, self._ledger, progress):
                yield
        except BaseException:
            self._leave(quietly=True)
            raise
        self._leave(quietly=False)

    def _acquire(self, progress: Progress) -> None:
        start, said = time.monotonic(), ""
        while True:
            holder = self._ledger.holder()
            if holder is None or holder.free:
                holder = self._take(holder, progress)
                if holder is None:
                    break
            if holder.run != said:
                progress(f"waiting for another runner: {holder}")
                said = holder.run
            self._wait(start, holder)
        lease = self._ledger.lease
        if lease is not None and lease.heir_of is not None:
            from dbtrust.engine.mongo.builds import await_ended

            await_ended(self._client, _appname(lease.heir_of), progress)

    def _take(self, holder: Holder | None, progress: Progress) -> Holder | None:
        """None where the lease is ours; else who was faster. A transaction that a dead runner left open would hold us up."""
        if holder is None or holder.given_back:
            return self._taken(None, progress)
        from dbtrust.engine.mongo.builds import end_transactions

        what = "is gone" if holder.gone else "has not renewed its lease"
        progress(f"the runner {holder} {what}: taking over")
        end_transactions(self._client, _appname(holder.run))
        return self._taken(holder if holder.gone else None, progress)

    def _taken(self, replacing: Holder | None, progress: Progress) -> Holder | None:
        """Twice is as once: the lease's own run may take it again."""
        from dbtrust.engine.mongo.patience import patiently

        return patiently(lambda again: self._ledger.take(self._run, replacing), progress)

    def _wait(self, start: float, holder: Holder) -> None:
        waited = time.monotonic() - start
        if self._lock_wait is not None and waited >= self._lock_wait:
            raise MigrationStopped(
                f"another runner is at work on this database: {holder}; waited {waited:.0f} s",
                next="wait until it has ended; if it died, its lease ends by itself within 15 s",
            )
        time.sleep(random.uniform(*_POLL))

    def _leave(self, *, quietly: bool) -> None:
        if self._ledger.lease is None:
            return
        try:
            with self._reading("giving the lease back"):
                if quietly:
                    self._ledger.give_back()
                else:
                    from dbtrust.engine.mongo.patience import patiently

                    patiently(lambda again: self._ledger.give_back(), silent)
        except Exception:
            self._ledger.lease = None
            if not quietly:
                raise

    @contextmanager
    def _cancelled(self) -> Generator[None]:
        """Ctrl-C: what the server still does for this run is ended, an index build with it.

        So is a transaction that was cut off within its commit: the lease is in it, and everybody who writes it,
        this run's heartbeat as well, would wait for a minute.
        """
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            from dbtrust.engine.mongo.builds import cancel, end_transactions

            with suppress(PyMongoError):
                cancel(self._client, _appname(self._run))
                end_transactions(self._client, _appname(self._run))
            raise

    # --- up and down

    def check(self, migration: Migration) -> None:
        self._load.check(migration)

    def up(self, migration: Migration, entry: Entry | None, progress: Progress) -> Entry:
        """A migration whose down was interrupted is undone first, and then applied."""
        with self._reading(f"migration {migration.number}"), self._cancelled():
            if entry is not None and entry.state == "reverting":
                self._work(migration, entry, progress).down()
                entry = None
            done = self._work(migration, entry, progress).up(fresh=entry is None)
        self._known[done.number] = done
        return done

    def down(self, migration: Migration, entry: Entry, progress: Progress) -> None:
        with self._reading(f"undoing migration {migration.number}"), self._cancelled():
            self._work(migration, entry, progress).down()
        self._known.pop(entry.number, None)
        self._steps.pop(str(entry.number), None)
        self._undone = True

    def can_undo(self, migration: Migration) -> bool:
        from dbtrust.engine.mongo.steps import inverse_of

        loaded = self._load(migration)
        if loaded.steps is None:
            return loaded.down is not None
        return all(inverse_of(step) for step in loaded.steps)

    def _work(self, migration: Migration, entry: Entry | None, progress: Progress) -> Work:
        from dbtrust.migrate.work_mongo import Work

        loaded = self._load(migration)
        rows = () if entry is None else self._rows(entry)
        return Work(self._tools, migration, entry or self._begun(migration), loaded, rows, progress)

    def _rows(self, entry: Entry) -> tuple[StepEntry, ...]:
        """A migration's steps as stored; when one is undone, those below it are likely to be next."""
        key = str(entry.number)
        if entry.state != "done" or key not in self._steps:
            self._ledger.flush()
            below = sorted(
                n for n, known in self._known.items() if n < entry.number and known.state == "done"
            )
            ahead = [str(number) for number in below[-_AHEAD:]] if self._undone else []
            self._steps |= self._ledger.steps_of([key, *ahead])
        return self._steps[key]

    @cached_property
    def _who(self) -> str:
        return whoami()

    def _begun(self, migration: Migration) -> Entry:
        from dbtrust.migrate.work_mongo import begun

        return begun(migration, self._who, VERSION)

    @cached_property
    def _tools(self) -> Tools:
        from dbtrust.engine.mongo.builds import settle
        from dbtrust.engine.mongo.resume import Catalogue
        from dbtrust.migrate.work_mongo import Tools

        return Tools(
            self._ledger,
            Catalogue(self._db, lambda name: settle(self._db, name), self._ledger.fence),
            self._batches,
            self._database,
            lambda: self._trap.told if self._trap is not None else "",
        )

    def _batches(self, key: str, progress: Progress) -> Batches:
        from dbtrust.engine.mongo.exact import Batches

        return Batches(self._db, self._ledger, key, progress)

    def _database(self) -> Any:
        """The database for a migration's own functions, on a client of its own that is listened to."""
        if self._theirs is None:
            from dbtrust.engine.mongo.traps import TransactionTrap

            self._trap = TransactionTrap(_appname(self._run), lambda: self._client)
            self._theirs = connect(self._url, listeners=[self._trap], appname=_appname(self._run))
        return self._theirs[self._db.name]

    @contextmanager
    def _reading(self, what: str) -> Generator[None]:
        """The errors of the ledger's own commands as those of the protocol."""
        try:
            yield
        except (LeaseLost, LedgerGone, NewerLedger) as error:
            raise MigrationStopped(error.message, next=error.next) from error
        except PyMongoError as error:
            from dbtrust.migrate.failures_mongo import refused

            raise refused(error, what) from error


def _appname(run: str) -> str:
    return f"dbtrust {run}"
