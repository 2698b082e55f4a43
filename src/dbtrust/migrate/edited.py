"""Was a migration's file edited after it was applied, and does the edit change what it does?"""

from __future__ import annotations

import re
from typing import NamedTuple

from dbtrust.model.ledger import Entry
from dbtrust.model.project import Migration


class Edit(NamedTuple):
    """`harmless`: no statement differs. `difference` is a unified diff, a line each."""

    harmless: bool
    difference: tuple[str, ...]

    @property
    def what(self) -> str:
        """What a harmless edit is of: "options of the -- migrate:up line", "-- verify: lines", "comments or blanks"."""
        found: dict[str, None] = {}
        for line in self.difference[2:]:
            if line[:1] in ("+", "-"):
                found[_kind(line[1:])] = None
        return " and ".join(found) or "comments or blanks"


_MARK = "-- migrate:up"
_MARK_LINE = re.compile(rf"\s*{_MARK}( \(|$)")
_KEY_LINE = re.compile(r"\s*--\s*(verify|lossy|dbtrust)\s*:")


def _kind(line: str) -> str:
    if _MARK_LINE.match(line):
        return f"options of the {_MARK} line"
    if key := _KEY_LINE.match(line):
        return f"-- {key[1]}: lines"
    return "comments or blanks"


def _lines(text: str) -> list[str]:
    """The lines of a text, whose mark is kept as blanks: what is known of it is how long it was."""
    lines = text.splitlines()
    place = next((n for n, line in enumerate(lines) if line.strip()), len(lines))
    for n in range(place):
        more = len(lines[n]) - len(_MARK)
        if more >= 0:
            lines[n] = _MARK + (
                f" ({more} characters of options, which the ledger does not keep)" if more else ""
            )
    return lines


def edit_of(migration: Migration, entry: Entry) -> Edit | None:
    """None where the file is what was applied."""
    if entry.source == migration.text or not entry.checksum or entry.checksum == migration.checksum:
        return None
    if entry.source is None:
        return Edit(False, ("the applied text was too long to keep, so it cannot be shown",))
    import difflib

    file = migration.location.file or migration.name
    read = _lines if migration.engine == "postgres" else str.splitlines
    lines = difflib.unified_diff(
        read(entry.source), read(migration.text), f"{file} (applied)", f"{file} (now)",
        lineterm="", n=2,
    )  # fmt: skip
    same = _same_sql if migration.engine == "postgres" else _same_python
    return Edit(same(entry.source, migration.text), tuple(lines))


def _same_sql(one: str, other: str) -> bool:
    from dbtrust.judge.statements import SqlSyntaxError, tokens

    try:
        return tokens(one) == tokens(other)
    except SqlSyntaxError:
        return False


def _same_python(one: str, other: str) -> bool:
    import ast

    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return False
