"""query.slow: shapes of operations that are slow each time they run."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._slow import each, evidence, times, working, worst_first

#: A shape is slow when it was seen so often.
_TIMES = 3


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection, about what works and does not wait."""
    for rows in worst_first(row for row in working(now, earlier) if row["count"] >= _TIMES):
        worst = rows[0]
        message = (
            f"{worst['operation']} {worst['shape']} took {duration(each(worst, 'total_ms'))} on average, "
            f"{duration(worst['max_ms'])} at most, {times(worst)}; plan: {worst['plan'] or 'not told'}"
        )
        fix = "read its plan with explain; the findings beside this one say what can be seen from here"
        yield finding(RULE.id, "info", collection_subject(worst), message, fix, **evidence(rows))


RULE = Rule("query.slow", "mongo", "Slow operations", ("slow",), decide)
