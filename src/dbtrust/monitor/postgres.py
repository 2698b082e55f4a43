"""PostgreSQL's half of `monitor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dbtrust.engine.postgres.monitor import read_snapshot, sent
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot
from dbtrust.monitor.postgres_view import view
from dbtrust.monitor.redaction import goes_on, with_literals, without_literals

__all__ = ["literal", "read", "redacted", "sent", "view"]


def read(url: str, options: ReadOptions) -> Snapshot:
    """See leaf.Leaf."""
    return read_snapshot(url, options)


def redacted(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf. Twice is the same as once."""
    return _changed(snapshot, without_literals, _application)


def literal(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf."""
    return _changed(snapshot, with_literals, lambda _: {})


def _changed(
    snapshot: Snapshot, text: Callable[..., str], program: Callable[[Row], Mapping[str, Any]]
) -> Snapshot:
    """The sections that hold what somebody wrote, row by row; of a large snapshot the others are not copied."""
    changed = {
        name: tuple({**row, **_shown(name, row, text), **program(row)} for row in snapshot.sections[name])
        for name in _WRITTEN & snapshot.sections.keys()
    }
    return replace(snapshot, sections={**snapshot.sections, **changed})


#: Sections with statements or names of programs.
_WRITTEN = frozenset({"statement_texts", "activity", "replication"})


def _shown(section: str, row: Row, make: Callable[..., str]) -> Mapping[str, Any]:
    """A row's statement as `make` shows it, and what that is: nothing where there is none."""
    if not row.get("query"):
        return {}
    # Of a statement that is counted the server knows that it is one.
    parsed = section == "statement_texts" or bool(row.get("parsed"))
    query = make(str(row["query"]), cut=_is_cut(row), parsed=parsed)
    return {"query": query, "cut": True, "parsed": True} if goes_on(query) else {"query": query}


def _is_cut(row: Row) -> bool:
    """Snapshots of older versions have the whole length alone."""
    return bool(row.get("cut", (row.get("length") or 0) > len(str(row["query"]))))


def _application(row: Row) -> Mapping[str, Any]:
    """A program may put anything in its name; what looks like a name of one is kept."""
    name = row.get("application")
    if not name or (all(c.isalnum() or c in " _-./:[]()" for c in name) and len(name) <= 64):
        return {}
    return {"application": "(left out)"}
