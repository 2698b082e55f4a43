"""A down written into the text of a file: the author's bytes stay as they are, the new lines end as his do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dbtrust.judge.statements import SqlSyntaxError, Statement, split
from dbtrust.migrate.unified import ended, lines_of
from dbtrust.source.layouts.scripts import code_end
from dbtrust.source.layouts.ways_back import WayBack

_DECLARED = re.compile(r"[ \t]*--[ \t]*(lossy|verify)[ \t]*:", re.IGNORECASE)
_ENDS = frozenset({"COMMIT", "END"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A down: `head` are comments for its top, `body` the statements, behind those of the author where `keep` is set."""

    body: tuple[str, ...]
    keep: bool = False
    head: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The lines that are new."""
        return "".join(f"{line}\n" for line in (*self.head, *self.body))


def composed(draft: Draft, own: str) -> str:
    """The SQL of the down as it will be run; `own` is what is there now."""
    if not draft.keep:
        return draft.text
    lines = lines_of(own)
    at, lines = _end_of_statements(lines, own)
    body = [f"{line}\n" for line in draft.body]
    head = [f"{line}\n" for line in draft.head]
    return "".join([*head, *ended(lines[:at], "\n"), *body, *lines[at:]])


def with_down(text: str, own: str, draft: Draft, back: WayBack) -> str:
    """The file with the down. `text` is the file's exact text, `own` the down's SQL at its place, line by line."""
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    return bom + _with_down(lines_of(text.removeprefix(bom)), own, draft, back, newline)


def _with_down(lines: list[str], own: str, draft: Draft, back: WayBack, newline: str) -> str:
    head = [f"{line}{newline}" for line in draft.head]
    body = [f"{line}{newline}" for statement in draft.body for line in _marked(statement, back)]
    filled = [n for n, line in enumerate(lines_of(own)) if line.strip()]
    if not filled:
        at, marks = _mark(lines, back, newline)
        return "".join([*ended(lines[:at], newline), *marks, *head, *body, *lines[at:]])
    if not draft.keep:
        # What the author declares stays.
        gone = {n for n in filled if not _DECLARED.match(lines[n])}
        rest = [line for n, line in enumerate(lines) if n not in gone]
        first = filled[0]
        return "".join([*ended(rest[:first], newline), *head, *body, *rest[first:]])
    at, lines = _end_of_statements(lines, own)
    first = filled[0]
    return "".join([*lines[:first], *head, *ended(lines[first:at], newline), *body, *lines[at:]])


def _mark(lines: Sequence[str], back: WayBack, newline: str) -> tuple[int, list[str]]:
    """Where an empty down begins: behind the layout's mark, which is written where it is missing."""
    if not back.mark:
        return len(lines), []
    words = r"[ \t]+".join(re.escape(word) for word in back.mark.removeprefix("--").split())
    mark = re.compile(rf"[ \t]*--[ \t]*{words}\b", re.IGNORECASE)
    for n, line in enumerate(lines):
        if mark.match(line):
            return n + 1, []
    return len(lines), [newline, back.mark + newline]


def _marked(statement: str, back: WayBack) -> list[str]:
    """The lines of a statement, between the layout's marks where a semicolon inside would end it too early."""
    lines = statement.split("\n")
    inside = ";" in statement.rstrip().removesuffix(";") and not statement.startswith("--")
    return [back.begin, *lines, back.end] if inside and back.begin else lines


def _end_of_statements(lines: Sequence[str], own: str) -> tuple[int, list[str]]:
    """The line before which new statements go, and the lines, with a semicolon where the last statement has none.

    That is behind the last line with anything on it, and before a COMMIT that ends what a BEGIN began. `lines` may be
    those of the whole file: `own` has the same numbers of lines.
    """
    changed = list(lines)
    filled = [n for n, line in enumerate(lines_of(own)) if line.strip()]
    behind = filled[-1] + 1 if filled else len(changed)
    try:
        statements = split(own)
    except SqlSyntaxError:
        return behind, changed
    if not statements:
        return behind, changed
    last = statements[-1]
    if len(statements) > 1 and _around(statements):
        return own.count("\n", 0, last.offset), changed
    end = last.offset + code_end(last.text)
    if not re.match(r"(\s|--[^\n]*|/\*.*?\*/)*;", own[end:], re.DOTALL) and last.data is None:
        row, column = own.count("\n", 0, end), end - (own.rfind("\n", 0, end) + 1)
        changed[row] = f"{changed[row][:column]};{changed[row][column:]}"
    return behind, changed


def _around(statements: Sequence[Statement]) -> bool:
    first, last = (s.text.split()[0].upper().rstrip(";") for s in (statements[0], statements[-1]))
    return first in ("BEGIN", "START") and last in _ENDS


def with_head(draft: Draft, *lines: str) -> Draft:
    return replace(draft, head=(*lines, *draft.head))
