"""query.examined_per_returned: operations whose index leads them to far more keys or documents than they return."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._slow import (
    FEW_EXAMINED,
    each,
    evidence,
    result,
    times,
    working,
    worst_first,
)

#: So many keys and documents for each one that is returned or written are too many.
_RATIO = 100


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection. Groups and counts read much and return little by their nature."""
    for rows in worst_first(row for row in working(now, earlier) if _wasteful(row)):
        yield _finding(rows)


def _wasteful(row: Row) -> bool:
    summing = row["operation"] in ("count", "distinct") or any(s in row["shape"] for s in _SUMMING)
    # A sort must read all before it returns the first: that is query.in_memory_sort.
    if summing or row["sorted"] or "IXSCAN" not in row["plan"] or "COLLSCAN" in row["plan"]:
        return False
    return _examined(row) >= FEW_EXAMINED * row["count"] and _examined(row) >= _RATIO * result(row)


_SUMMING = ('"$group"', '"$count"', '"$bucket', '"$sortByCount"')


def _examined(row: Row) -> float:
    return max(row["keys"], row["documents"])


def _finding(rows: list[Row]) -> Finding:
    worst = rows[0]
    message = (
        f"{worst['operation']} {worst['shape']} by {worst['plan']} examines {each(worst, 'keys'):,.0f} keys and "
        f"{each(worst, 'documents'):,.0f} documents for {each(worst, 'returned'):,.1f} returned, {times(worst)}"
    )
    fix = "make an index that begins with the fields compared by equality and holds the rest of the filter"
    return finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


RULE = Rule(
    "query.examined_per_returned", "mongo", "Keys and documents examined for each returned", ("slow",), decide
)
