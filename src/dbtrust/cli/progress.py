"""Progress for a person: one changing line on stderr, on a terminal and where the work takes a while."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from dbtrust.cli.output import is_terminal
from dbtrust.model.progress import Progress, silent
from dbtrust.report.document import visible
from dbtrust.report.redact import redact

if TYPE_CHECKING:
    from rich.status import Status

#: Seconds of work before anything is shown.
PATIENCE = 1.0


class TerminalProgress:
    """Shows the last message from `PATIENCE` seconds on, until the block ends. Called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._message = "working"
        self._status: Status | None = None
        self._over = False
        self._timer = threading.Timer(PATIENCE, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        self._timer.start()
        return self._update

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._status is not None:
                self._status.stop()

    def _update(self, message: str, /) -> None:
        with self._lock:
            self._message = redact(visible(message))
            if self._status is not None and not self._over:
                self._status.update(_shown(self._message))

    def _begin(self) -> None:
        from rich.console import Console

        with self._lock:
            if not self._over:
                self._status = Console(stderr=True).status(_shown(self._message), spinner="dots")
                self._status.start()


def _shown(message: str) -> str:
    from rich.markup import escape

    return escape(message)


class NoProgress:
    """Nothing is shown: a pipe, a dumb terminal or -q."""

    def __enter__(self) -> Progress:
        return silent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def show_progress(quiet: bool) -> TerminalProgress | NoProgress:
    """`with show_progress(quiet) as progress:` gives the callback that work is told with."""
    dumb = os.environ.get("TERM", "") in ("", "dumb")
    return NoProgress() if quiet or dumb or not is_terminal(sys.stderr) else TerminalProgress()
