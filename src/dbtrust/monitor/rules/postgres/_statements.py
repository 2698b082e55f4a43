"""Statements of pg_stat_statements as findings name them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dbtrust.model.snapshot import Row, Snapshot

#: What plans and reads rows; all else (ANALYZE, CREATE INDEX, COPY, VACUUM, COMMIT) is a utility.
_PLANNED = frozenset(
    {
        "select",
        "insert",
        "update",
        "delete",
        "merge",
        "with",
        "values",
        "table",
        "execute",
        "call",
        "do",
        "fetch",
    }
)
_WORD = re.compile(r"[\s(]*([a-z]+)", re.IGNORECASE)


def repeated(now: Snapshot, rows: Iterable[Row], calls: int) -> list[Row]:
    """Those that are called again and again and that a plan could make faster; one whose text is unknown may be."""
    texts = {t["queryid"]: t["query"] for t in now.sections.get("statement_texts", ())}
    return [row for row in rows if row["calls"] >= calls and _planned(texts.get(row["queryid"]))]


def _planned(text: str | None) -> bool:
    found = _WORD.match(text) if text else None
    return found is None or found[1].lower() in _PLANNED


def statement_subject(row: Row) -> str:
    """statement:ID; another role's statement has no id that this role may see."""
    return f"statement:{row['queryid'] if row['queryid'] is not None else 'hidden'}"


def text_of(now: Snapshot, row: Row) -> str:
    """The text that was kept, or what stands for it."""
    texts = {t["queryid"]: t["query"] for t in now.sections.get("statement_texts", ())}
    return str(texts.get(row["queryid"]) or "(its text was not read)")
