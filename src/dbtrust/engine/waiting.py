"""Waiting for a server program to be ready or to end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

from dbtrust.model.errors import ServerError

_STEP_SECONDS = 0.005


def ended_or(process: subprocess.Popen[bytes], ready: Callable[[], bool], seconds: float) -> bool:
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


def finish(process: subprocess.Popen[bytes], what: str, *, fast: bool = False, seconds: float = 60.0) -> None:
    """Asks a server to end cleanly and waits; `fast` is PostgreSQL's fast mode, which ends the connections."""
    process.send_signal(signal.SIGINT if fast else signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{what} did not stop in {seconds:.0f} s", next="see `dbtrust servers prune`") from error
