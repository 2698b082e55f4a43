"""query.examined_per_returned: operations whose index leads them to far more keys or documents than they return."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._joins import Join, joins, label, unserved
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
    rows = list(working(now, earlier))
    joining: dict[Join, list[Row]] = {}
    for row in rows:
        for join in unserved(now, row):
            joining.setdefault(join, []).append(row)
    told = [id(row) for group in joining.values() for row in group]
    for join, group in joining.items():
        yield _of_join(
            join, label(now, join) or join.collection, sorted(group, key=lambda row: -row["total_ms"])
        )
    for group in worst_first(row for row in rows if _wasteful(row) and id(row) not in told):
        yield _finding(group)


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
    if any(joins(worst)):
        fix = "read its plan with explain: what its joins examine is a part of these numbers"
    return finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


def _of_join(join: Join, name: str, rows: list[Row]) -> Finding:
    """About the collection that is joined: no index of the one that was asked helps."""
    worst = rows[0]
    examined = "what a $graphLookup examines is not counted"
    if join.counted:
        examined = f"{each(worst, 'documents'):,.0f} documents examined in all"
    message = (
        f"{worst['operation']} {worst['shape']} of {worst['label']} looks up {name} by {join.field}, with which no index "
        f"of {name} begins: {examined}, {each(worst, 'returned'):,.1f} returned, {times(worst)}, "
        f"{duration(worst['total_ms'])} in all"
    )
    fix = f"make an index on {name} that begins with {join.field}"
    subject = f"collection:{name}"
    return finding(RULE.id, "warning", subject, message, fix, joined_field=join.field, **evidence(rows))


RULE = Rule(
    "query.examined_per_returned", "mongo", "Keys and documents examined for each returned", ("slow",), decide
)
