"""Waiting for a server program to be ready or to end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dbtrust.model.errors import ServerError

_STEP_SECONDS = 0.005


class Program(Protocol):
    """A program that was started here, or by an earlier process."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...


class Adopted:
    """A program that an earlier process started; its exit code is not ours to know."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        return None if Path(f"/proc/{self.pid}").exists() else 0


def ended_or(process: Program, ready: Callable[[], bool], seconds: float) -> bool:
    """True once `ready()`, False once the process has ended. Raises ServerError after `seconds`."""
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if ready():
            return True
        if time.monotonic() > deadline:
            raise ServerError(
                f"a server was not ready after {seconds:.0f} s", next="try again when the system is less busy"
            )
        time.sleep(_STEP_SECONDS)
    return False


def await_true(ready: Callable[[], bool], seconds: float) -> bool:
    """Waits until `ready()`; False after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def finish(process: subprocess.Popen[bytes], what: str, *, fast: bool = False, seconds: float = 60.0) -> None:
    """Asks a server to end cleanly and waits; `fast`: PostgreSQL's mode that ends the connections."""
    process.send_signal(signal.SIGINT if fast else signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise ServerError(
            f"{what} did not stop in {seconds:.0f} s", next="see `dbtrust servers prune`"
        ) from error
