"""What a Python generator may load besides its own text: the project's Python and the files beside the generator."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dbtrust.model.project import Config, DataConfig

#: A larger file is known by its size and time of change: hashing it at every run would cost more than it tells.
READ_LIMIT = 4 * 1024 * 1024
_SKIPPED = frozenset({"node_modules", "__pycache__"})


def inputs_digest(config: Config, generators: Iterable[DataConfig]) -> str:
    """A hash of all that the Python generators may load, "" where there is none of them.

    That is every .py file of the project's folder and of the folders put on sys.path (not those of hidden folders,
    virtual environments and node_modules), and every file of the generators' own folders that is not hidden.
    """
    own = [config.root / item.file for item in generators if item.file.endswith(".py")]
    if not own:
        return ""
    found: set[Path] = set()
    for folder in (config.root, *(config.root / name for name in config.python)):
        found.update(_python(folder))
    for folder in {path.parent for path in own}:
        found.update(_beside(folder))
    digest = hashlib.sha256()
    for path in sorted(found):
        # Relative, so that a copy of the project has the same data.
        digest.update(repr((os.path.relpath(path, config.root), _content(path))).encode())
    return digest.hexdigest()


def _python(top: Path) -> Iterator[Path]:
    """The .py files below a folder, behind links too; each folder once."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(top, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if _loadable(Path(folder) / name)]
        yield from (Path(folder) / name for name in names if name.endswith(".py"))


def _loadable(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _SKIPPED
    return not hidden and not (folder / "pyvenv.cfg").exists()


def _beside(folder: Path) -> Iterator[Path]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return
    yield from (path for path in entries if not path.name.startswith(".") and path.is_file())


def _content(path: Path) -> object:
    """The hash of a file, the size and time of a large one, None of one that cannot be read."""
    try:
        found = path.stat()
        if found.st_size > READ_LIMIT:
            return found.st_size, found.st_mtime_ns
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
