"""MongoDB's half of `monitor`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dbtrust.engine.mongo.monitor import commands, read_snapshot
from dbtrust.model.snapshot import ReadOptions, Row, Snapshot
from dbtrust.monitor.mongo_view import view

__all__ = ["literal", "read", "redacted", "sent", "view"]


def read(url: str, options: ReadOptions) -> Snapshot:
    """See leaf.Leaf. What changes is the profiler, for a moment, unless `options.profiler` is false."""
    return read_snapshot(url, options)


def redacted(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf. Shapes have no literals; examples of commands go, and strange names of programs."""
    changed = {
        name: tuple(_row(row) for row in rows)
        for name, rows in snapshot.sections.items()
        if any("app" in row or "example" in row for row in rows)
    }
    return replace(snapshot, sections={**snapshot.sections, **changed})


def literal(snapshot: Snapshot) -> Snapshot:
    """See leaf.Leaf. Nothing has to go."""
    return snapshot


def _row(row: Row) -> Row:
    kept = {key: value for key, value in row.items() if key != "example"}
    return {**kept, "app": _program(str(row["app"]))} if "app" in row else kept


def _program(name: str) -> str:
    """A program may put anything in its name; what looks like a name of one is kept."""
    plain = len(name) <= 64 and all(c.isalnum() or c in " _-./:[]()" for c in name)
    return name if plain else "(left out)"


def sent(url: str, options: ReadOptions) -> Iterable[str]:
    """See leaf.Leaf: the commands are the same for every version."""
    return commands(options)
