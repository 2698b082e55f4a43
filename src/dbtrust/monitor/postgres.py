"""PostgreSQL's half of `monitor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbtrust.engine.postgres.monitor import read_snapshot, sent
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot
from dbtrust.monitor.postgres_view import view
from dbtrust.monitor.redaction import DROPPED, without_literals

__all__ = ["read", "redacted", "sent", "view"]


def read(url: str, options: ReadOptions) -> Snapshot:
    """See leaf.Leaf."""
    return read_snapshot(url, options)


def redacted(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf. Twice is the same as once."""
    sections = {name: tuple(_row(name, row) for row in rows) for name, rows in snapshot.sections.items()}
    return replace(snapshot, sections=sections, not_examined=snapshot.not_examined)


def _row(section: str, row: Row) -> Row:
    if section in ("statement_texts", "activity") and row.get("query"):
        return {**row, "query": _text(str(row["query"])), **_application(row)}
    if section in ("activity", "replication"):
        return {**row, **_application(row)}
    return row


def _text(query: str) -> str:
    return query if query == DROPPED else without_literals(query)


def _application(row: Row) -> Mapping[str, Any]:
    """A program may put anything in its name; what looks like a name of one is kept."""
    name = row.get("application")
    if not name or (all(c.isalnum() or c in " _-./:[]()" for c in name) and len(name) <= 64):
        return {}
    return {"application": "(left out)"}
