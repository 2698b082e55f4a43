"""A place in a file of the user's project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Location:
    """`file` is a relative POSIX path; `line` and `column` are 1-based characters."""

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def to_dict(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "column": self.column}


NOWHERE = Location()


def locate(text: str, offset: int, file: str | None) -> Location:
    """The location of the character at `offset` (0-based) of `text`."""
    offset = max(0, min(offset, len(text)))
    line = text.count("\n", 0, offset) + 1
    return Location(file, line, offset - (text.rfind("\n", 0, offset) + 1) + 1)


def shift(start: Location, text: str, offset: int) -> Location:
    """The location of the character at `offset` of `text`, whose first character stands at `start`."""
    inner = locate(text, offset, start.file)
    line, column = start.line or 1, start.column or 1
    assert inner.line is not None and inner.column is not None
    return Location(start.file, line + inner.line - 1, inner.column + (column - 1 if inner.line == 1 else 0))
