"""COPY … FROM STDIN blocks as pg_dump writes them: the rows follow in the script and end in a line with \\. alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COPY = re.compile(r"\bCOPY\b[^;]*\bFROM\s+STDIN\b[^;]*;[ \t]*(?:\n|\Z)", re.IGNORECASE)
_END = re.compile(r"^\\\.[ \t]*(?:\n|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segment:
    """SQL from `start` to `end` of a script (0-based characters); `data` is where the rows of its last statement stand.

    `data` is None where no rows follow, and (-1, -1) where rows should follow and have no end.
    """

    start: int
    end: int
    data: tuple[int, int] | None = None


#: The data of a COPY that no \\. ends.
ENDLESS = (-1, -1)


def segments(sql: str, ends_in_copy: Callable[[str], bool]) -> Iterator[Segment]:
    """Cuts a script behind each COPY whose rows stand in it; `ends_in_copy` asks the grammar whether text ends in one."""
    start = position = 0
    while (match := _COPY.search(sql, position)) is not None:
        position = match.end()
        if not ends_in_copy(sql[start : match.end()]):
            # The words stand in a string, a comment or a function's body.
            position = match.start() + 1
            continue
        end = _END.search(sql, match.end())
        if end is None:
            yield Segment(start, match.end(), ENDLESS)
            return
        yield Segment(start, match.end(), (match.end(), end.start()))
        start = position = end.end()
    yield Segment(start, len(sql))
