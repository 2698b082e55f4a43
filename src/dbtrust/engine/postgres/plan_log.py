"""auto_explain's entries in a server's log: stderr, csvlog and jsonlog. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

_ENTRY = re.compile(r"duration: [\d.]+ ms  plan:")
_CSV = re.compile(r'"(duration: [\d.]+ ms  plan:\n(?:[^"]|"")*+)"')


def is_log(text: str) -> bool:
    """Does it hold an entry of auto_explain?"""
    return _ENTRY.search(text) is not None


def entries(text: str) -> Iterator[tuple[int, str]]:
    """The number of the line before the plan, counted from 1, and the plan's text without the log's prefix.

    A line of jsonlog holds a plan whole: all of it is behind that line.
    """
    if text.lstrip().startswith("{"):
        yield from _json_lines(text)
        return
    if _CSV.search(text):
        line = at = 0
        for match in _CSV.finditer(text):
            line, at = line + text.count("\n", at, match.start()), match.start()
            yield line + 1, match[1].replace('""', '"').partition("\n")[2]
        return
    yield from _plain(text.split("\n"))


def _json_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n")):
        if _ENTRY.search(line) is None:
            continue
        try:
            record: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        fields = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
        message = fields.get("message")
        if isinstance(message, str) and _ENTRY.match(message):
            yield number + 1, message.partition("\n")[2]


def _plain(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The lines behind the entry that begin with a tab; without tabs, those up to the next entry."""
    at = 0
    while at < len(lines):
        if _ENTRY.search(lines[at]) is None:
            at += 1
            continue
        first = end = at + 1
        tabs = first < len(lines) and lines[first].startswith(("\t", "#011"))
        while end < len(lines) and (_continues(lines[end]) if tabs else _ENTRY.search(lines[end]) is None):
            end += 1
        yield at + 1, "\n".join(line.removeprefix("#011").removeprefix("\t") for line in lines[first:end])
        at = end


def _continues(line: str) -> bool:
    return line.startswith(("\t", "#011")) or not line.strip()
