"""query.in_memory_sort: operations that sort in memory, or on disk, what an index could give in order."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._slow import FEW_EXAMINED, each, evidence, times, working, worst_first


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection."""
    for rows in worst_first(row for row in working(now, earlier) if _sorts(row)):
        yield _finding(rows)


def _sorts(row: Row) -> bool:
    return bool(row["used_disk"]) or (row["sorted"] > 0 and each(row, "documents") >= FEW_EXAMINED)


def _finding(rows: list[Row]) -> Finding:
    worst = rows[0]
    where = "on disk, since memory was not enough," if worst["used_disk"] else "in memory"
    message = (
        f"{worst['operation']} {worst['shape']} sorts {where} after {each(worst, 'documents'):,.0f} documents "
        f"examined, {times(worst)}, {duration(worst['total_ms'])} in all"
    )
    fix = (
        "make an index whose keys are the fields of equality followed by those of the sort, in its directions"
    )
    return finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


RULE = Rule("query.in_memory_sort", "mongo", "Sorts in memory and on disk", ("slow",), decide)
