"""Was a migration's file edited after it was applied, and does the edit change what it does?"""

from __future__ import annotations

from typing import NamedTuple

from dbtrust.model.ledger import Entry
from dbtrust.model.project import Migration


class Edit(NamedTuple):
    """`harmless`: only comments or blanks differ. `difference` is a unified diff, a line each."""

    harmless: bool
    difference: tuple[str, ...]


def edit_of(migration: Migration, entry: Entry) -> Edit | None:
    """None where the file is what was applied."""
    if entry.source == migration.text or not entry.checksum or entry.checksum == migration.checksum:
        return None
    if entry.source is None:
        return Edit(False, ("the applied text was too long to keep, so it cannot be shown",))
    import difflib

    file = migration.location.file or migration.name
    lines = difflib.unified_diff(
        entry.source.splitlines(), migration.text.splitlines(), f"{file} (applied)", f"{file} (now)",
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
