"""PostgreSQL's half of `monitor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dbtrust.engine.postgres.monitor import read_snapshot, sent
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot
from dbtrust.monitor.postgres_view import view
from dbtrust.monitor.redaction import with_literals, without_literals

__all__ = ["literal", "read", "redacted", "sent", "view"]


def read(url: str, options: ReadOptions) -> Snapshot:
    """See leaf.Leaf."""
    return read_snapshot(url, options)


def redacted(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf. Twice is the same as once."""
    sections = {name: tuple(_row(name, row) for row in rows) for name, rows in snapshot.sections.items()}
    return replace(snapshot, sections=sections, not_examined=snapshot.not_examined)


def literal(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf."""
    sections = {name: tuple(map(_literal, rows)) for name, rows in snapshot.sections.items()}
    return replace(snapshot, sections=sections)


def _literal(row: Row) -> Row:
    return {**row, "query": with_literals(str(row["query"]))} if row.get("query") else row


def _row(section: str, row: Row) -> Row:
    if section in ("statement_texts", "activity") and row.get("query"):
        return {**row, "query": without_literals(str(row["query"])), **_application(row)}
    if section in ("activity", "replication"):
        return {**row, **_application(row)}
    return row


def _application(row: Row) -> Mapping[str, Any]:
    """A program may put anything in its name; what looks like a name of one is kept."""
    name = row.get("application")
    if not name or (all(c.isalnum() or c in " _-./:[]()" for c in name) and len(name) <= 64):
        return {}
    return {"application": "(left out)"}
