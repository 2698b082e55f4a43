"""Statements of pg_stat_statements as findings name them."""

from __future__ import annotations

from dbtrust.model.snapshot import Row, Snapshot


def statement_subject(row: Row) -> str:
    """statement:ID; another role's statement has no id that this role may see."""
    return f"statement:{row['queryid'] if row['queryid'] is not None else 'hidden'}"


def text_of(now: Snapshot, row: Row) -> str:
    """The text that was kept, or what stands for it."""
    texts = {t["queryid"]: t["query"] for t in now.sections.get("statement_texts", ())}
    return str(texts.get(row["queryid"]) or "(its text was not read)")
