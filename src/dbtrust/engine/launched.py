"""What an embedded server of either engine is: a process of a run, and the folder with its data and log."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dbtrust.engine.runs import Run
from dbtrust.engine.waiting import finish


class Launched:
    """A server of a run; `product` and `fast` (see waiting.finish) are the engine's."""

    product: str
    fast = False
    version: str
    folder: Path

    def __init__(self, run: Run, version: str, folder: Path) -> None:
        self.version = version
        self.folder = folder
        self._run = run
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.folder / "log"

    @property
    def running(self) -> bool:
        """Has it been launched, and not ended since?"""
        return self._process is not None and self._process.poll() is None

    def halt(self) -> None:
        """Ends the server cleanly: its data folder can be copied afterwards. Raises ServerError."""
        if self._process is not None:
            finish(self._process, f"{self.product} {self.version}", fast=self.fast)
            self._process = None

    def stop(self) -> None:
        """Kills the server and deletes its folder; a second call does nothing."""
        self._run.drop(self.folder)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
