"""One dbtrust process's folder of servers: nothing of it outlives the process."""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from dbtrust.engine import watchdog
from dbtrust.engine.home import ground, home, home_of, make_folder, private_folder, server_user, stand_ins
from dbtrust.engine.locks import locked, try_lock
from dbtrust.engine.processes import spawn
from dbtrust.engine.spread import spread
from dbtrust.model.errors import ServerError


class Run:
    """A folder of servers that are ended and deleted when the `with` block, or the process, ends.

    `folder` is short enough for unix sockets and closed to other users (root: the servers' group may pass,
    and each server's own folder has mode 0700). Its file `lock` is locked as long as this process lives.
    """

    folder: Path

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._count = 0
        self._programs: list[subprocess.Popen[bytes]] = []
        self._lock = -1
        self._pipe = -1
        self._watchdog: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Removes what dead runs left, makes the folder and starts the watchdog. Raises ServerError."""
        sweep()
        try:
            self._claim()
            self._watch()
        except OSError as error:
            self.__exit__(None, None, None)
            raise ServerError(
                f"no folder for servers can be made below {ground()}: {error.strerror or error}",
                next="free some space, or set DBTRUST_HOME to a folder that can be written",
            ) from error
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kills the servers and deletes the folder."""
        _OPEN.discard(self)
        try:
            if self._lock >= 0:
                watchdog.clean(str(self.folder))
            for program in self._programs:
                program.kill()
                program.wait()
        finally:
            self._close()
            if self._watchdog is not None:
                self._watchdog.wait()

    def _claim(self) -> None:
        runs = make_folder(ground() / "runs")
        spread(runs)
        with locked(runs / ".lock"):  # a sweep never sees a folder whose lock is not yet held
            self.folder = runs / secrets.token_hex(4)
            self.folder.mkdir(mode=0o700)
            self._lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        _OPEN.add(self)
        if user := server_user():
            os.chown(self.folder, 0, user.gid)
            self.folder.chmod(0o710)

    def _watch(self) -> None:
        """Starts the watchdog in its own session, with none of our streams: their readers see the end."""
        read, self._pipe = os.pipe()  # neither end passes to a child, but for the one that is its stdin
        try:
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", watchdog.__file__, str(self.folder)],
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(read)

    def _close(self) -> None:
        for descriptor in (self._pipe, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._pipe = self._lock = -1

    def add(self, prefix: str) -> Path:
        """A new folder of mode 0700 for one server, owned by the servers' user."""
        with self._mutex:
            self._count += 1
            folder = self.folder / f"{prefix}{self._count}"
        return private_folder(folder)

    def spawn(
        self, argv: Sequence[str | Path], *, folder: Path, log: Path, stdin: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """processes.spawn for a program that this run ends."""
        program = spawn(argv, folder=folder, log=log, stdin=stdin)
        with self._mutex:
            self._programs.append(program)
        return program

    def drop(self, folder: Path) -> None:
        """Kills what runs in a folder of this run and deletes it."""
        watchdog.clean(str(folder))


def sweep() -> list[str]:
    """Ends and removes the runs of this user whose process is gone; their names. Raises ServerError."""
    removed: list[str] = []
    for runs in dict.fromkeys([ground() / "runs", *(place / "runs" for place in stand_ins())]):
        for folder, lock in _stale(runs):
            try:
                if watchdog.clean(str(folder)):
                    removed.append(folder.name)
            finally:
                if lock is not None:
                    os.close(lock)
    _sweep_stand_ins()
    return removed


def _stale(runs: Path) -> Iterator[tuple[Path, int | None]]:
    """Each run without an owner, with its lock, which is now ours: two sweeps never share one."""
    if not runs.is_dir():
        return
    claimed: list[tuple[Path, int | None]] = []
    with locked(runs / ".lock"):
        for folder in sorted(runs.iterdir()):
            if folder.is_dir():
                try:
                    lock = try_lock(folder / "lock")
                except OSError:  # killed between making the folder and its lock, or while removing it
                    claimed.append((folder, None))
                else:
                    if lock is not None:
                        claimed.append((folder, lock))
    yield from claimed


def _sweep_stand_ins() -> None:
    """A stand-in whose home is gone serves nobody: it goes too, unless something in it is still running."""
    for place in stand_ins():
        owner = home_of(place)
        if owner is None or owner == home() or owner.exists() or watchdog.processes(str(place)):
            continue
        with suppress(OSError):
            if not any((place / "runs").glob("*/lock")):
                watchdog.clean(str(place))


_OPEN: weakref.WeakSet[Run] = weakref.WeakSet()


def _forget_in_child() -> None:
    """A fork that lives on must not look like a living dbtrust: neither to the watchdog nor to a sweep."""
    for run in list(_OPEN):
        run._close()  # pyright: ignore[reportPrivateUsage]


os.register_at_fork(after_in_child=_forget_in_child)
