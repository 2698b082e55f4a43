"""File locks of the kernel (flock): they end with their process, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from dbtrust.model.errors import ServerError
from dbtrust.model.progress import Progress, silent


def try_lock(path: Path, *, create: bool = False) -> int | None:
    """A descriptor that holds the lock of `path`, None if another holds it. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(
    path: Path, *, waiting: str = "", progress: Progress = silent, seconds: float | None = None
) -> Generator[None]:
    """Holds the lock of `path`, made if absent; says `waiting` if another process has it.

    Raises ServerError that names that process after `seconds` (None: it waits without end).
    """
    descriptor = try_lock(path, create=True)
    if descriptor is None:
        if waiting:
            progress(waiting)
        if seconds is None:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, 0o600)
        else:
            descriptor = _polled(path, seconds)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _polled(path: Path, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    while (descriptor := try_lock(path, create=True)) is None:
        if time.monotonic() > deadline:
            who = f"process {pid}" if (pid := _holder(path)) else "another process"
            raise ServerError(
                f"{who} has held {path} for more than {seconds:.0f} s", next="end it, then try again"
            )
        time.sleep(0.05)
    return descriptor


def _holder(path: Path) -> int | None:
    """The process that holds the lock, as the kernel tells it."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    held = (line.split() for line in lines if "->" not in line)
    return next((int(w[4]) for w in held if w[1] == "FLOCK" and w[5].endswith(f":{inode}")), None)


@contextmanager
def in_use(folder: Path) -> Generator[None]:
    """Holds a shared lock on a folder: `prune` leaves it alone meanwhile. Raises OSError if it is gone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def free(folder: Path) -> bool:
    """True if nobody holds `in_use(folder)` now."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
