"""One runner at a time on a database: an advisory lock that is polled, or a lease where a pooler breaks sessions.

Whoever holds it has the highest token (`fence`) of the ledger, and every ledger write checks that token, so that a
runner that lost the lock without noticing cannot write.
"""

from __future__ import annotations

import random
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import pq

from dbtrust.engine.postgres.ledger import Ledger, check_format
from dbtrust.engine.postgres.sql import load
from dbtrust.model.errors import ServerError
from dbtrust.model.ledger import MigrationStopped
from dbtrust.model.progress import Progress

#: Seconds that a lease runs without being renewed.
LEASE_SECONDS = 30.0
_POLL_SECONDS = (0.05, 0.5)
#: Seconds between two lines about the same wait.
_TELL_SECONDS = 5.0


class Exclusive:
    """The lock of one runner, on a connection of its own (`opens` makes one), in autocommit, idle while it is held."""

    def __init__(
        self, opens: Callable[[], psycopg.Connection[Any]], ledger: Ledger, name: str, *, lease: float | None
    ) -> None:
        self._opens, self._connection = opens, opens()
        self._ledger, self._name, self._lease = ledger, name, lease
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = False
        #: The name of a holder that did not release the lock: it was killed, or it lost its lease.
        self.left_by: str | None = None

    def acquire(self, wait: float | None, progress: Progress, create: Callable[[], None]) -> None:
        """Waits at most `wait` seconds (None: without end); `create` makes the ledger once nobody else can.

        Raises MigrationStopped naming the holder, psycopg.Error.
        """
        started, told, pause = time.monotonic(), 0.0, _POLL_SECONDS[0]
        while not self._try(create):
            waited = time.monotonic() - started
            if wait is not None and waited >= wait:
                raise MigrationStopped(
                    f"another runner holds the lock: {self._holder()}",
                    next="wait until it has ended, or wait longer for it; a killed one's lock goes by itself",
                )
            if waited >= told:
                progress(f"waiting for another runner: {self._holder()}")
                told = waited + _TELL_SECONDS
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, _POLL_SECONDS[1])
        if self._lease is not None:
            self._thread = threading.Thread(target=self._renew, name="dbtrust lease", daemon=True)
            self._thread.start()

    def check(self) -> None:
        """Asks nobody as long as all is well.

        Raises MigrationStopped where another runner has the lock, ServerError where only the lock's session has ended.
        """
        if self._lost or (self._thread is None and self._gone()):
            raise superseded() if self._taken() else session_ended()

    def ask(self, text: bytes) -> list[tuple[Any, ...]]:
        """Rows of a short question on the lock's own connection. Raises psycopg.Error."""
        return self._connection.execute(text).fetchall()

    def release(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if not self._connection.closed:
                self._connection.execute(self._ledger.sql("lock_release", fence=self._ledger.fence))
        except psycopg.Error:
            # The session ends below, and the lock with it; a lease runs out.
            pass
        finally:
            self._connection.close()

    def _try(self, create: Callable[[], None]) -> bool:
        if self._lease is None:
            row = self._connection.execute(load("lock_try")).fetchone()
            if not (row and row[0]):
                return False
        elif self.ask(load("lock_holders")):
            return False
        create()
        return self._take()

    def _take(self) -> bool:
        """Gets the next token, unless a lease runs or another runner was faster."""
        seen = self._seen()
        if seen is None:
            return False
        check_format(int(seen[4]) if str(seen[4]).isdigit() else seen[4])
        if seen[3]:
            return False
        lease = self._lease
        taken = self.ask(self._ledger.sql("lock_take", fence=seen[0], holder=self._name, lease=lease))
        if not taken:
            return False
        self._ledger.fence, self.left_by = taken[0][0], seen[1]
        return True

    def _seen(self) -> tuple[Any, ...] | None:
        rows = self.ask(self._ledger.sql("lock_seen"))
        return rows[0] if rows else None

    def _holder(self) -> str:
        """Process, application and since when, as far as the server tells."""
        try:
            for pid, application, since in self.ask(load("lock_holders")):
                return f"{application} (server process {pid}), since {since}"
            seen = self._seen()
        except psycopg.errors.UndefinedTable:
            seen = None
        return f"{seen[1]}, since {seen[2]}" if seen and seen[1] else "one that has just begun"

    def _renew(self) -> None:
        assert self._lease is not None
        while not self._stop.wait(self._lease / 3):
            try:
                cursor = self._connection.execute(
                    self._ledger.sql("lock_renew", lease=self._lease, fence=self._ledger.fence)
                )
                self._lost = cursor.rowcount == 0
            except psycopg.Error:
                self._lost = True
            if self._lost:
                return

    def _taken(self) -> bool:
        """Has another runner got a token since? A server that died takes the lock's session with it and gives none."""
        try:
            with self._opens() as connection:
                seen = connection.execute(self._ledger.sql("lock_seen")).fetchone()
        except (psycopg.Error, ServerError):
            return False
        return seen is not None and seen[0] != self._ledger.fence

    def _gone(self) -> bool:
        """Has the server ended the session? Its farewell then waits in the socket."""
        pgconn = self._connection.pgconn
        if self._connection.closed or pgconn.status == pq.ConnStatus.BAD:
            return True
        try:
            # A farewell is read first, and then the end of the stream; a mere notice leaves nothing to read.
            while select.select([pgconn.socket], [], [], 0)[0]:
                pgconn.consume_input()
        except (psycopg.Error, ValueError):
            return True
        return pgconn.status == pq.ConnStatus.BAD


def session_ended() -> ServerError:
    """The error of a runner whose lock went with its session; nobody has taken over yet."""
    return ServerError(
        "the server was lost: it ended the session that holds the lock",
        next="when it is back, run the same command again: it goes on where the ledger stands",
    )


def superseded() -> MigrationStopped:
    """The error of a runner that no longer holds the lock."""
    return MigrationStopped(
        "this runner has lost the lock, so it wrote nothing more",
        next="look at dbtrust migrate status, and run up again: it goes on where the ledger stands",
    )
