"""A folder of the user's repository: what lies in it, read once, and nothing outside of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dbtrust.model.errors import DbtrustError
from dbtrust.source.text import read_text

#: Folders that hold other people's files, or none of a person's.
SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "vendor", "target", "bower_components"})
#: A walk ends here: no repository has more, a file system that is mounted by mistake has.
DEEPEST, MOST_FOLDERS = 12, 20_000


@dataclass(slots=True)
class Folder:
    """`files` and `folders` are sorted names; `path` is relative to `root`, POSIX, "" for the root itself."""

    root: Path
    path: str
    files: tuple[str, ...]
    folders: dict[str, Folder] = field(default_factory=dict[str, "Folder"])
    parent: Folder | None = None
    #: Name -> what it is, of that which is named and is no file to read: a pipe, a link that leads nowhere, a folder x.sql.
    strange: dict[str, str] = field(default_factory=dict[str, str])
    _texts: dict[str, str | DbtrustError] = field(default_factory=dict[str, "str | DbtrustError"])

    @property
    def name(self) -> str:
        return (Path(self.path).name if self.path else self.root.name).lower()

    def place(self, file: str) -> str:
        """The file's path relative to the root."""
        return f"{self.path}/{file}" if self.path else file

    def text(self, file: str) -> str:
        """read_text of a file of this folder; read once. Raises QueryFileError."""
        if file not in self._texts:
            try:
                self._texts[file] = read_text(self.root / self.place(file), self.root)
            except DbtrustError as error:
                self._texts[file] = error
        found = self._texts[file]
        if isinstance(found, DbtrustError):
            raise found
        return found

    @property
    def unread(self) -> list[DbtrustError]:
        """What was wrong with files that somebody tried to read."""
        return [found for found in self._texts.values() if isinstance(found, DbtrustError)]

    def try_text(self, file: str) -> str:
        """The text, or "" where the file cannot be read: its reader tells why."""
        try:
            return self.text(file)
        except DbtrustError:
            return ""

    def walk(self) -> Iterator[Folder]:
        """This folder and every one below, in order."""
        yield self
        for child in self.folders.values():
            yield from child.walk()

    def above(self) -> Iterator[Folder]:
        """This folder and every one above, up to the root."""
        folder: Folder | None = self
        while folder is not None:
            yield folder
            folder = folder.parent


@dataclass(slots=True)
class Tree:
    """The root as read, and what the walk could not enter, each with the reason."""

    root: Folder
    left_out: list[tuple[str, str]]


def read_tree(root: Path) -> Tree:
    """Walks a folder. Hidden folders, those of SKIPPED, virtual environments and symbolic links to folders are not entered.

    A symbolic link to a file counts where it leads to a file below the root. Nothing is opened but folders.
    """
    left_out: list[tuple[str, str]] = []
    count = [0]
    return Tree(_read(root.resolve(), "", None, left_out, count), left_out)


def _read(
    root: Path, path: str, parent: Folder | None, left_out: list[tuple[str, str]], count: list[int]
) -> Folder:
    count[0] += 1
    files: list[str] = []
    below: list[str] = []
    strange: dict[str, str] = {}
    try:
        with os.scandir(root / path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                elif _utf8(entry.name):
                    why = _strange(entry, root)
                    if why:
                        strange[entry.name] = why
                    else:
                        files.append(entry.name)
    except OSError as error:
        left_out.append((path or ".", error.strerror or "cannot be read"))
    strange |= {name: "a folder" for name in below if name.lower().endswith(".sql")}
    folder = Folder(root, path, tuple(sorted(files, key=natural)), parent=parent, strange=strange)
    for name in sorted(below, key=natural):
        inner = folder.place(name)
        if name.startswith(".") or name in SKIPPED or (root / inner / "pyvenv.cfg").exists():
            continue
        if inner.count("/") >= DEEPEST or count[0] >= MOST_FOLDERS:
            left_out.append((inner, "too deep or too many folders"))
            continue
        folder.folders[name] = _read(root, inner, folder, left_out, count)
    return folder


def _strange(entry: os.DirEntry[str], root: Path) -> str:
    """What it is, where it is no file below the root; "" for one."""
    try:
        if entry.is_symlink():
            real = Path(entry.path).resolve(strict=True)
            if real.is_dir():
                return "a link to a folder"
            if not real.is_relative_to(root):
                return "a link that leads out of the folder"
        mode = entry.stat().st_mode
    except (OSError, RuntimeError):
        return "a link that leads nowhere" if entry.is_symlink() else "a file that cannot be looked at"
    if stat.S_ISREG(mode):
        return ""
    return next((said for test, said in _MODES if test(mode)), "no file")


_MODES = (
    (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)  # fmt: skip


def _utf8(name: str) -> bool:
    """A name that is no UTF-8 cannot stand in a report."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sort key in which 2 stands before 10."""
    return tuple(
        (0, int(p)) if p.isdecimal() and p.isascii() else (1, p) for p in re.split(r"([0-9]+)", name)
    )
