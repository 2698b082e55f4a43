"""Unified diffs that `git apply` and `patch -p1` take, from the folder that the paths are relative to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence


def lines_of(text: str) -> list[str]:
    """The lines as git and patch see them, each with its end: nothing but LF ends a line."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def ended(lines: Sequence[str], newline: str) -> list[str]:
    """The last line may have no end, where nothing stood behind it."""
    found = list(lines)
    if found and not found[-1].endswith("\n"):
        found[-1] = found[-1].removesuffix("\r") + newline
    return found


def unified(file: str, old: str | None, new: str) -> str:
    """The diff of one file, exact to the byte (line ends, byte order mark); `old` is None for a file that is not there.

    The headers are the traditional ones: with those of git, `git apply` would take the paths from the top of the
    repository, and pass over a project in a sub-folder.
    """
    before = "/dev/null" if old is None else _named(f"a/{file}")
    found = difflib.unified_diff(lines_of(old or ""), lines_of(new), before, _named(f"b/{file}"))
    return "".join(_marked(found))


def _marked(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _named(path: str) -> str:
    """A path in a header. A tab ends one with blanks; one with quotes or control characters is quoted as C does."""
    if re.search(r'["\\\x00-\x1f\x7f]', path):
        escaped = re.sub(r'["\\]', r"\\\g<0>", path)
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\{ord(m[0]):03o}", escaped) + '"'
    return f"{path}\t" if " " in path else path
