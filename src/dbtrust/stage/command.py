"""A command of the project (its tests) beside scratch databases: how it is started, waited for and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from dbtrust.engine import watchdog
from dbtrust.model.project import Config


class _Guard:
    """A process that kills the command's group if this one is killed; `tell` is the pipe that it reads."""

    def __init__(self) -> None:
        read, self.tell = os.pipe()  # no child inherits the writing end
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__, "--group"], stdin=read, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, cwd="/", start_new_session=True,
            )  # fmt: skip
        except OSError:
            os.close(self.tell)
            raise
        finally:
            os.close(read)

    def watch(self, group: int) -> None:
        os.write(self.tell, b"%d " % group)

    def end(self) -> None:
        """The group is no longer ours to end: its number may be another one's soon."""
        with suppress(BrokenPipeError):
            os.write(self.tell, b"done")
        os.close(self.tell)
        self._process.wait()


class Command(subprocess.Popen[bytes]):
    """The leader of a process group that does not outlive dbtrust, however that ends."""

    guard: _Guard


def start_command(
    config: Config, command: Sequence[str], urls: Mapping[str, str], *, stdout: IO[Any] | int, stderr: IO[Any] | int,
    pass_fds: Sequence[int] = (),
) -> Command:  # fmt: skip
    """Starts it in the project's folder, as the leader of a process group. Raises OSError.

    `urls` are the variables DBTRUST_POSTGRES and DBTRUST_MONGO; a first word `python` is dbtrust's own.
    """
    program = sys.executable if command[0] == "python" else command[0]
    guard = _Guard()
    try:
        process = Command(
            [program, *command[1:]], cwd=config.root, env=_environment(config, urls), stdin=subprocess.DEVNULL,
            stdout=stdout, stderr=stderr, start_new_session=True, pass_fds=pass_fds,
        )  # fmt: skip
    except BaseException:
        guard.end()
        raise
    process.guard = guard
    guard.watch(process.pid)
    return process


def _environment(config: Config, urls: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without dbtrust's own settings; no byte code, as in source/modules.py."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DBTRUST_") or k == "DBTRUST_HOME"}
    path = [str(config.root / folder) for folder in config.python]
    # Relative entries of the caller's mean the caller's folder, not the project's.
    path += [
        str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]
    python = {"PYTHONPATH": os.pathsep.join(path)} if path else {}
    return {**clean, **python, "PYTHONDONTWRITEBYTECODE": "1", **urls}


def wait_command(process: Command, seconds: float | None = None) -> int | None:
    """The exit code (negative: the signal that ended it), None after the time limit.

    The whole process group ends with us, whatever happens.
    """
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.guard.end()
        process.wait()
