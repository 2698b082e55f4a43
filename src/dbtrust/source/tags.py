"""Finds the hand-written tags of a project: `@CODE:ID | text`, and `SPEC: file | TEST: path` on the next line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location
from dbtrust.source.text import read_text

_SUFFIXES = (".sql", ".py", ".md", ".js", ".ts", ".toml", ".yml", ".yaml", ".sh")
_SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "venv"})
_LIMIT = 2 * 1024 * 1024
#: A tag leads a comment line (--, #, //, *, <!--) or a docstring; it is not one in the middle of a sentence.
_TAG = re.compile(
    r"^\s*(?:--|#|//|\*|<!--|\"\"\"|''')?\s*@(?P<kind>CODE|TEST|SPEC|DOC):(?P<id>[A-Z][A-Z0-9]*-\d{3,}(?::[A-Z][A-Z0-9_-]*)*)\b"
)
_LINK = re.compile(r"\b(?P<kind>SPEC|TEST|CODE|DOC):\s*(?P<target>[^\s|]+)")
_COMMENT = re.compile(r"^\s*(?:--|#|//|\*|<!--|@|SPEC:|TEST:|CODE:|\"\"\"|''')")


@dataclass(frozen=True, slots=True)
class Link:
    """`SPEC: SPEC-DB-001.md` and its place."""

    kind: str
    target: str
    location: Location


@dataclass(frozen=True, slots=True)
class Tag:
    """`@CODE:DB-001:QUERY`: its id without sub-tags is `id`, as written it is `text`."""

    kind: str
    id: str
    text: str
    location: Location
    links: tuple[Link, ...] = ()


def find_tags(root: Path, *, specs: str | None = None) -> list[Tag]:
    """Every tag below a project's folder; files that are no text, too large or hidden are passed over."""
    del specs
    tags: list[Tag] = []
    for path in _files(root):
        try:
            text = read_text(path, root)
        except DbtrustError:
            continue
        tags += _tags(text, path.relative_to(root).as_posix())
    return tags


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(_SUFFIXES) and not path.is_symlink() and path.stat().st_size <= _LIMIT:
                yield path


def _tags(text: str, file: str) -> Iterator[Tag]:
    lines = text.split("\n")
    fence = False
    for number, line in enumerate(lines, 1):
        fence ^= line.lstrip().startswith("```")
        match = None if fence else _TAG.match(line)
        if match is None:
            continue
        following = (
            lines[number]
            if number < len(lines) and _LINK.search(lines[number]) and not _TAG.match(lines[number])
            else ""
        )
        links = [*_links(line[match.end() :], file, number, match.end())]
        links += (
            _links(following, file, number + 1, 0)
            if _COMMENT.match(following) or following.strip().startswith(("SPEC:", "TEST:", "CODE:"))
            else []
        )
        place = Location(file, number, match.start("kind"))
        yield Tag(
            match["kind"], match["id"].split(":")[0], f"@{match['kind']}:{match['id']}", place, tuple(links)
        )


def _links(text: str, file: str, number: int, start: int) -> Iterator[Link]:
    for match in _LINK.finditer(text):
        target = match["target"].rstrip(",;").removesuffix("-->")
        yield Link(match["kind"], target, Location(file, number, start + match.start() + 1))


def resolver(root: Path) -> Callable[[str], bool]:
    """Does a path of a link (a file, a folder, a glob, `path::test`) exist in the project?"""

    def exists(target: str) -> bool:
        path, _, test = target.partition("::")
        found = (
            list(root.glob(path)) if any(c in path for c in "*?[") else [root / path] * (root / path).exists()
        )
        if not test:
            return bool(found)
        name = test.split("::")[-1].split("[")[0]
        return any(
            re.search(rf"\b(?:def|class)\s+{re.escape(name)}\b", read_text(p, root))
            for p in found
            if p.is_file()
        )

    return exists
