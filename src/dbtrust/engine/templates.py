"""Data folders of stopped servers, kept in the cache and copied for each new server."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from dbtrust.engine.home import ground, make_folder, private_folder, stand_ins
from dbtrust.engine.locks import free, in_use, locked, try_lock
from dbtrust.engine.processes import environment, reason
from dbtrust.model.errors import ServerError
from dbtrust.model.progress import Progress, silent

DAY_SECONDS = 86_400.0
#: An unused template is kept so long where new ones are made.
KEPT_DAYS = 7.0


def folder_of(engine: str, key: str) -> Path:
    """Where the template of that key lies or would lie."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:24]
    return make_folder(ground() / "templates") / f"{engine}-{digest}"


def find(engine: str, key: str) -> Path | None:
    """The template of that key, None if there is none; it counts as used now."""
    folder = folder_of(engine, key)
    try:
        os.utime(folder)
    except OSError:
        return None
    return folder


@contextmanager
def building(engine: str, key: str, progress: Progress = silent) -> Generator[Path | None]:
    """One builder per template: yields it if it is there, else None, and then the block builds it.

    Other processes (and threads) wait here until the block ends, however it ends.
    """
    lock = folder_of(engine, key).with_suffix(".lock")
    with locked(lock, waiting=f"waiting for another process that prepares {engine}", progress=progress):
        yield find(engine, key)


def publish(engine: str, key: str, built: Path) -> Path:
    """Moves a complete folder of the same file system into the cache; the first one of a key stays."""
    folder = folder_of(engine, key)
    try:
        built.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise ServerError(
                f"the template {folder} cannot be made: {error.strerror}",
                next="set DBTRUST_HOME to a folder that can be written",
            ) from error
    os.utime(folder)
    return folder


def save(engine: str, key: str, folder: Path, names: list[str]) -> Path:
    """Caches a copy of those parts of a stopped server's folder; it is made beside that folder, in its run.

    So a copy that is cut short goes with the run, and moving a whole one into the cache is one rename.
    Templates that nobody used for KEPT_DAYS go: data are drawn up to the day, so most are of no use tomorrow.
    """
    built = private_folder(folder.with_name(f"{folder.name}t"))
    try:
        copy_tree([folder / name for name in names], built)
        published = publish(engine, key, built)
        with suppress(OSError):
            prune(KEPT_DAYS)
        return published
    finally:
        shutil.rmtree(built, ignore_errors=True)


def copy_template(template: Path, target: Path) -> None:
    """Copies what a template holds into an existing folder. Raises ServerError."""
    try:
        with in_use(template):
            copy_tree(sorted(template.iterdir()), target)
    except FileNotFoundError as error:
        raise ServerError(
            f"the template {template} is gone", next="start again: it will be made again"
        ) from error


def copy_tree(sources: list[Path], target: Path) -> None:
    """Copies files and folders into a folder: owners, modes and holes stay; blocks are shared if possible.

    Raises ServerError, for example when the disk is full.
    """
    command = ["cp", "-a", "--reflink=auto", "--", *map(str, sources), str(target)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), cwd="/", check=False
        )
    except OSError as error:
        raise ServerError(
            f"cp cannot be run: {error.strerror}", next="install the GNU core utilities"
        ) from error
    if done.returncode:
        why = reason(done.stderr.decode(errors="replace"))
        raise ServerError(f"a server's files cannot be copied to {target}: {why.message}", next=why.next)


def once(parent: Path, name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` in `parent`, built by one process at a time and never seen half-built."""
    make_folder(parent)
    folder = parent / name
    with locked(parent / f"{name}.lock"):
        if not folder.exists():
            half = parent / f".half-{name}"
            shutil.rmtree(half, ignore_errors=True)
            build(make_folder(half))
            half.rename(folder)
    return folder


def remove_abandoned(parent: Path) -> None:
    """Removes what killed processes left in `parent`: half-built folders and half-removed ones."""
    for half in parent.glob(".half-*"):
        with suppress(OSError):
            lock = try_lock(parent / f"{half.name.removeprefix('.half-')}.lock", create=True)
            if lock is not None:
                shutil.rmtree(half, ignore_errors=True)
                os.close(lock)
    for gone in parent.glob(".gone-*"):
        shutil.rmtree(gone, ignore_errors=True)


def prune(days: float, *, everything: bool = False) -> list[str]:
    """Removes the templates that were not used for `days`; with `everything` all, and copied programs.

    What a process is copying at this moment stays.
    """
    removed: list[str] = []
    oldest = time.time() - days * DAY_SECONDS
    for place in dict.fromkeys([ground(), *stand_ins()]):
        for parent in [place / "templates", *([place / "binaries"] if everything else [])]:
            remove_abandoned(parent)
            for folder in sorted(parent.glob("[!.]*")):
                if folder.is_dir() and (everything or folder.stat().st_mtime < oldest) and _remove(folder):
                    removed.append(folder.name)
            _remove_locks(parent)
    return removed


def _remove(folder: Path) -> bool:
    if not free(folder):
        return False
    gone = folder.with_name(f".gone-{folder.name}-{os.getpid()}")
    folder.rename(gone)  # from here on nobody finds it
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _remove_locks(parent: Path) -> None:
    for path in parent.glob("*.lock"):
        lock = None if path.with_suffix("").exists() else try_lock(path)
        if lock is not None:
            path.unlink()
            os.close(lock)
