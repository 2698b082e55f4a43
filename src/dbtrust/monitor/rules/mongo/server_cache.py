"""server.cache_pressure: a cache that is full, or full of changes that are not written yet."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.mongo_counters import status
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

#: From 20% of changed pages, and from 95% full, the server makes operations evict pages themselves.
_DIRTY, _USED = 0.2, 0.95
#: Pages evicted by operations each second: a few are normal.
_EVICTED = 100.0


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member."""
    for row in status(now, earlier):
        most = row["cache_max_bytes"]
        if not most:
            continue
        dirty, used = (row["cache_dirty_bytes"] or 0) / most, (row["cache_used_bytes"] or 0) / most
        rate = _rate(row)
        signs = [f"{dirty:.0%} of the cache is changed and not written"] if dirty >= _DIRTY else []
        signs += [f"{used:.0%} of the cache is used"] if used >= _USED else []
        signs += [f"operations themselves evict {rate:,.0f} pages a second"] if rate >= _EVICTED else []
        if signs:
            fix = "more memory for the cache, faster disks, or smaller working sets: indexes instead of scans"
            evidence = {"dirty": dirty, "used": used, "evicted_per_second": rate, "cache_bytes": most}
            message = "; ".join(signs)
            yield finding(RULE.id, "warning", server_subject(row), message, fix, **evidence)


def _rate(row: Row) -> float:
    evicted, ms = row["pages_evicted_by_application"] or 0, row["uptime_ms"] or 0
    return evicted / ms * 1000 if ms else 0.0


RULE = Rule("server.cache_pressure", "mongo", "Pressure on the cache", ("status",), decide)
