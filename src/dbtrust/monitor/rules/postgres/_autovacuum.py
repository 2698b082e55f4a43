"""When autovacuum goes to a table."""

from __future__ import annotations

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.counters import number
from dbtrust.monitor.rules.postgres._common import option


def autovacuum_starts(now: Snapshot, row: Row, what: str, scale: float) -> float:
    """The rows from which on it does `what` (vacuum, analyze); `scale` is the server's default scale factor."""
    base = option(row, f"autovacuum_{what}_threshold")
    factor = option(row, f"autovacuum_{what}_scale_factor")
    rows = row["rows"] or row["live"]
    least = float(base) if base else number(now, f"autovacuum_{what}_threshold", 50)
    return least + rows * (float(factor) if factor else number(now, f"autovacuum_{what}_scale_factor", scale))
