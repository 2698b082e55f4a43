"""Reads text files of the user's project, with errors that have a place, and replaces files as a whole."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from dbtrust.model.errors import QueryFileError
from dbtrust.model.location import Location, locate

#: A file of this size is no source file; reading it whole would only cost memory.
LIMIT = 64 * 1024 * 1024


def read_text(path: Path | str, root: Path) -> str:
    """The text of a UTF-8 file, without byte order mark and with \\n line ends.

    Raises QueryFileError: unreadable, larger than 64 MiB, not UTF-8 (with line and column), or binary.
    """
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise QueryFileError("no regular file", location=_place(path, root), next="mend or remove it")
            if status.st_size > LIMIT:
                raise QueryFileError("larger than 64 MiB", location=_place(path, root), next="split the file")
            raw = file.read()
    except OSError as error:
        raise QueryFileError(
            f"cannot be read: {error.strerror}", location=_place(path, root), next="mend its rights"
        ) from error
    try:
        text = raw.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", errors="replace")
        place = locate(before, len(before), _place(path, root).file)
        raise QueryFileError("not UTF-8", location=place, next="save the file as UTF-8") from None
    if "\0" in text:
        raise QueryFileError(
            "holds a NUL byte: a binary file",
            location=locate(text, text.index("\0"), _place(path, root).file),
            next="name a text file",
        )
    return text.replace("\r\n", "\n") if "\r" in text else text


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe, too, at once: nobody may ever write to it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def exact_text(path: Path) -> str:
    """The text of a UTF-8 file to the byte: byte order mark and line ends as they are. Raises QueryFileError."""
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(f"cannot be read: {error}", location=Location(path.name)) from error


def _place(path: Path | str, root: Path) -> Location:
    """Only for an error: over a thousand files the path's arithmetic is a tenth of a second."""
    path = Path(path)
    return Location(path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name)


def replace_text(path: Path, text: str) -> None:
    """Replaces a file as a whole: a reader sees the old or the new text. Raises OSError."""
    replace_parts(path, (text,))


def replace_parts(path: Path, parts: Iterable[str]) -> None:
    """`replace_text` of a text that is made while it is written. Raises OSError, and what `parts` raises."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
        Path(name).chmod(path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
