"""Ctrl-C, SIGTERM and SIGHUP as an exception in the main thread, so that every context manager cleans up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """Somebody asked dbtrust to stop. No `except Exception` around a project's code may swallow it."""


@contextmanager
def stop_signals() -> Generator[None, None, None]:
    """Raises Stopped at the first signal. Later ones are ignored; a second Ctrl-C ends the clean-up, too.

    A signal that the caller ignores (nohup) stays ignored. Outside the main thread this does nothing.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {s: signal.getsignal(s) for s in _SIGNALS if signal.getsignal(s) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:
        if signal.getsignal(other) is _stop:
            signal.signal(other, signal.SIG_IGN)
    if number == signal.SIGINT:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    raise Stopped(signal.Signals(number).name)
