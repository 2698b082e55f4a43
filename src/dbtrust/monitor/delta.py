"""What was counted between two snapshots of one server; resets, restarts and evictions only make it shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dbtrust.model.snapshot import Row, Snapshot


@dataclass(frozen=True, slots=True)
class Counted:
    """A section whose rows are counters: what makes two rows the same one, and which fields only grow."""

    section: str
    key: tuple[str, ...]
    counters: tuple[str, ...]


def subtract(rows: Sequence[Row], before: Sequence[Row], counted: Counted) -> tuple[Row, ...]:
    """`rows` with the counters of the same row in `before` taken off.

    A row that was not there counts whole. So does one with a counter that is smaller than before: it was reset,
    or thrown out and made again, and counts since then.
    """
    known = {_key(row, counted): row for row in before}
    return tuple(_less(row, known.get(_key(row, counted)), counted.counters) for row in rows)


def _key(row: Row, counted: Counted) -> tuple[object, ...]:
    return tuple(row.get(name) for name in counted.key)


def _less(row: Row, before: Row | None, counters: Sequence[str]) -> Row:
    if before is None:
        return row
    pairs = [(name, row.get(name), before.get(name)) for name in counters]
    numbers = [(n, a, b) for n, a, b in pairs if a is not None and b is not None]
    if any(a < b for _, a, b in numbers):
        return row
    return {**row, **{n: a - b for n, a, b in numbers}}


def between(
    now: Snapshot, earlier: Snapshot | None, counted: Counted, reset: str | None = None
) -> tuple[Row, ...]:
    """The rows of a section since `earlier`, or since the counters began.

    `reset` is the time of the last reset as the later snapshot tells it: at or after `earlier`, all count whole.
    """
    rows = now.sections.get(counted.section, ())
    if earlier is None or (reset is not None and moment(reset) >= moment(earlier.taken_at)):
        return rows
    return subtract(rows, earlier.sections.get(counted.section, ()), counted)


def moment(text: str) -> datetime:
    """A time of a snapshot: ISO 8601 with its zone."""
    return datetime.fromisoformat(text)


def seconds(start: str | None, end: str) -> float | None:
    """Seconds from one time of a snapshot to another; None where the start is not known."""
    return None if start is None else max(0.0, (moment(end) - moment(start)).total_seconds())
