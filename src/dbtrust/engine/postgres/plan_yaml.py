"""PostgreSQL's EXPLAIN (FORMAT YAML): exactly the YAML that explain_format.c writes, and no more. Pure.

It writes mappings and lists in block style with two blanks more for each level, texts as JSON texts, and lists
inside lists on one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from dbtrust.model.errors import DbtrustError
from dbtrust.model.location import Location

_KEY = re.compile(r"([^\s:\"'\[{][^:\"]*):(?: (.*))?")


@dataclass(slots=True)
class _Level:
    """An open mapping or list at one column; `key` is the one that waits for what is below it."""

    column: int
    value: Any
    key: str | None = None


_BEGINNING = ("- Plan:", "- Query Text:", "- Query Identifier:", "Plan:", 'Query Text: "')


def is_yaml(lines: Sequence[str]) -> bool:
    """Is this the YAML format, as against the text format?"""
    first = next((line for line in lines if line.strip() and line.strip() != "---"), "")
    return first.startswith(_BEGINNING) and any(line.lstrip(" -").startswith("Node Type: ") for line in lines)


def read(lines: Sequence[str], file: str = "") -> list[Any]:
    """The document: a list with one mapping for each planned statement; auto_explain's is the mapping alone.

    Raises DbtrustError, with line and column, for what PostgreSQL does not write.
    """
    document: list[Any] = []
    levels = [_Level(0, document)]
    first = next((line for line in lines if line.strip() and line.strip() != "---"), "")
    if not first.startswith("-"):
        document.append({})
        levels = [_Level(0, document[0])]
    for number, line in enumerate(lines):
        if line.strip() and line.strip() != "---":
            column = len(line) - len(line.lstrip(" "))
            _line(levels, column, line.strip(), Location(file or None, number + 1, column + 1))
    return document


def _line(levels: list[_Level], column: int, text: str, place: Location) -> None:
    while len(levels) > 1 and levels[-1].column > column:
        levels.pop()
    if text == "-" or text.startswith("- "):
        items = _container(levels, column, list[Any](), place)
        inner = text[1:].strip()
        if _KEY.fullmatch(inner) is None:
            items.append(_scalar(inner, place))
            return
        items.append({})
        column, text = column + 2, inner
        levels.append(_Level(column, items[-1]))
    mapping = _container(levels, column, dict[str, Any](), place)
    match = _KEY.fullmatch(text)
    if match is None:
        raise _wrong(place, "neither a key nor an item of a list")
    mapping[match[1]] = _scalar((match[2] or "").strip(), place)
    levels[-1].key = None if match[2] and match[2].strip() else match[1]


def _container(levels: list[_Level], column: int, empty: Any, place: Location) -> Any:
    """The mapping or list at this column, begun where the key above it waits for one."""
    level = levels[-1]
    if level.column < column and level.key is not None:
        cast("dict[str, Any]", level.value)[level.key] = empty
        level.key = None
        levels.append(_Level(column, empty))
    elif level.column != column or type(level.value) is not type(empty):
        raise _wrong(place, "this indentation belongs to nothing above it")
    return levels[-1].value


def _scalar(text: str, place: Location) -> Any:
    if not text:
        return None
    if text[0] in '"[' or text in ("true", "false") or re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise _wrong(place, "a value that is cut off") from None
    return text


def _wrong(place: Location, what: str) -> DbtrustError:
    return DbtrustError(
        f"not the YAML that PostgreSQL writes: {what}", location=place, next="save the plan as it was printed"
    )
