"""A limit of our own for each statement: a server that has stopped keeps no statement_timeout."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

#: Seconds that an answer may be late beyond the server's own limit.
GRACE = 5.0


@contextmanager
def patience(connection: psycopg.Connection[Any], timeout_ms: int) -> Generator[None, None, None]:
    """Raises OperationalError where what is sent inside is not answered `GRACE` seconds after `timeout_ms`.

    The connection is closed then. A cancel would wait for the same server, and the kernel's limits
    (tcp_user_timeout) see a stopped process that still takes what is sent.
    """
    seconds = timeout_ms / 1000 + GRACE
    fired = threading.Event()
    timer = threading.Timer(seconds, _shut, (connection, fired))
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.Error:
        if not fired.is_set():
            raise
        connection.close()
        raise psycopg.OperationalError(
            f"no answer in {seconds:g} s, though each statement is to end after {timeout_ms / 1000:g} s"
        ) from None
    finally:
        timer.cancel()


def _shut(connection: psycopg.Connection[Any], fired: threading.Event) -> None:
    """Ends the socket below the driver, which then sees that nobody answers any more."""
    fired.set()
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
