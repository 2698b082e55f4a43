"""query.waiting: slow operations that spent their time waiting for locks or tickets."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.mongo_counters import slow
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._slow import evidence, times, worst_first

_TIMES = 2


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection: at least half of the time was waiting."""
    for rows in worst_first(row for row in slow(now, earlier) if _waits(row)):
        worst = rows[0]
        message = (
            f"{worst['operation']} {worst['shape']} waited {duration(worst['waiting_ms'])} of "
            f"{duration(worst['total_ms'])}, {times(worst)}"
        )
        fix = "look for what holds the lock (long transactions, index builds, fsyncLock); no index helps here"
        yield finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


def _waits(row: Row) -> bool:
    return row["count"] >= _TIMES and row["waiting_ms"] > 0 and row["waiting_ms"] >= row["total_ms"] / 2


RULE = Rule("query.waiting", "mongo", "Operations that wait", ("slow",), decide)
