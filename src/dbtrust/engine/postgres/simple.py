"""Whole scripts in the simple query protocol: one message for many statements, watched while the server works."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import errors, pq

Result = Any
#: Seconds until a statement that is not back yet is looked at, and between two later looks.
FIRST_TICK, TICK = 0.05, 0.25
_CANCEL_SECONDS = 10.0
_BLOCK = 1 << 16
_BAD = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)
_IN_TRANSACTION = (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)


class Simple:
    """Runs text on a connection that is in nobody else's hands meanwhile.

    `watch` is called with the seconds so far whenever the server has been silent for a tick; what it raises
    cancels the statement. `completed` counts the statements of the last text that succeeded.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._poll = select.poll()
        self._socket = -1
        self.watch: Callable[[float], None] | None = None
        self.completed = 0

    @property
    def in_transaction(self) -> bool:
        """Is a transaction block open, be it a failed one?"""
        return self._pgconn.transaction_status in _IN_TRANSACTION

    @property
    def lost(self) -> bool:
        return self._pgconn.status == pq.ConnStatus.BAD

    def run(self, text: bytes, data: str | None = None) -> list[Result]:
        """The results of the statements, in order; `data` are the rows of a COPY … FROM STDIN at the end.

        Raises psycopg.Error for the first one that failed; nothing behind it has run. Interrupted, the statement
        is cancelled first.
        """
        self.completed = 0
        self._pgconn.send_query(text)
        try:
            return self._results(data)
        except psycopg.Error:
            raise
        except BaseException:
            self._cancel()
            raise

    def roll_back(self) -> None:
        """Ends an open transaction, if there is one; `completed` stays. Raises psycopg.Error where the server is lost."""
        if not self.lost and self.in_transaction:
            completed = self.completed
            self.run(b"ROLLBACK")
            self.completed = completed

    def literal(self, value: str | float | None) -> bytes:
        """A value as SQL."""
        if value is None:
            return b"NULL"
        if isinstance(value, bool):
            return b"true" if value else b"false"
        if isinstance(value, int | float):
            return repr(value).encode()
        return bytes(pq.Escaping(self._pgconn).escape_literal(value.encode()))

    def _results(self, data: str | None) -> list[Result]:
        results: list[Result] = []
        failed: Result | None = None
        for result in self._arriving():
            if result.status == pq.ExecStatus.COPY_IN:
                self._copy(data)
            elif result.status == pq.ExecStatus.COPY_OUT:
                self._drain_copy()
            elif result.status in _BAD:
                failed = failed or result
            else:
                results.append(result)
                self.completed += 1
        if failed is not None:
            raise self._error(failed)
        if self.lost:
            raise errors.OperationalError("the connection is lost")
        return results

    def _error(self, result: Result) -> psycopg.Error:
        error = errors.error_from_result(result, encoding="utf-8")
        if error.sqlstate is None and self.lost:
            return errors.OperationalError(" ".join(str(error).split()))
        return error

    def _arriving(self) -> Iterator[Result]:
        """Each result as soon as it is there. After a lost connection no more come."""
        started = time.monotonic()
        while True:
            self._flush()
            while self._pgconn.is_busy():
                self._wait(select.POLLIN, started)
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                return
            yield result
            if self.lost:
                return

    def _flush(self) -> None:
        while self._pgconn.flush():
            self._wait(select.POLLIN | select.POLLOUT, time.monotonic())
            # A server that fails early stops reading before it has everything, unless its answer is taken.
            self._pgconn.consume_input()

    def _wait(self, events: int, started: float) -> None:
        if self._socket != self._pgconn.socket:
            self._socket = self._pgconn.socket
        self._poll.register(self._socket, events)
        waited = time.monotonic() - started
        while not self._poll.poll(1000 * (TICK if waited > FIRST_TICK else FIRST_TICK)):
            waited = time.monotonic() - started
            if self.watch is not None:
                self.watch(waited)

    def _copy(self, data: str | None) -> None:
        if data is None:
            self._pgconn.put_copy_end(b"no rows follow COPY ... FROM STDIN in the script")
        else:
            for start in range(0, len(data), _BLOCK):
                while self._pgconn.put_copy_data(data[start : start + _BLOCK].encode()) == 0:
                    self._flush()
                self._flush()
            while self._pgconn.put_copy_end() == 0:
                self._flush()
        self._flush()

    def _drain_copy(self) -> None:
        """COPY … TO STDOUT in a migration: what it gives is read and dropped."""
        while True:
            length, _ = self._pgconn.get_copy_data(1)
            if length < 0:
                return
            if length == 0:
                self._wait(select.POLLIN, time.monotonic())
                self._pgconn.consume_input()

    def _cancel(self) -> None:
        """Cancels what runs and takes its answer, so that the connection can be used again."""
        watch, self.watch = self.watch, None
        try:
            self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
            for result in self._arriving():
                if result.status == pq.ExecStatus.COPY_IN:
                    self._pgconn.put_copy_end(b"cancelled")
        except psycopg.Error:
            self._connection.close()
        finally:
            self.watch = watch
