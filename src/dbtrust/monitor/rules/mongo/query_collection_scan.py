"""query.collection_scan: operations that read a whole collection to find a few documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.mongo_counters import Period, collections, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding, place
from dbtrust.monitor.rules.mongo._slow import (
    FEW_EXAMINED,
    each,
    evidence,
    filtered,
    parsed,
    result,
    stages,
    times,
    working,
    worst_first,
)

#: A collection counts as scanned often when so many scans, and this share of its reads, read it whole.
_SCANS, _SHARE, _DOCUMENTS = 10, 0.1, 10_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection: from its slow operations, or else from its own counter of scans."""
    told: set[tuple[str, str]] = set()
    for rows in worst_first(row for row in working(now, earlier) if _is_scan(row)):
        told.add(place(rows[0]))
        yield _slow_scans(rows)
    for row in collections(now, earlier):
        if place(row) not in told and _often(row):
            yield _counted_scans(row, period(now, earlier))


def _is_scan(row: Row) -> bool:
    if "COLLSCAN" not in row["plan"] or each(row, "documents") < FEW_EXAMINED or not filtered(row):
        return False
    return row["documents"] >= 10 * result(row)


def _slow_scans(rows: list[Row]) -> Finding:
    worst = rows[0]
    message = (
        f"{worst['operation']} {worst['shape']} reads the whole collection: {each(worst, 'documents'):,.0f} documents "
        f"examined, {each(worst, 'returned'):,.1f} returned each time, {times(worst)}, "
        f"{duration(worst['total_ms'])} in all"
    )
    return finding(RULE.id, "warning", collection_subject(worst), message, _fix(rows), **evidence(rows))


_INDEX = "make an index on the fields of the filter: equality first, then sort, then range"
_NO_INDEX = {
    "$where": "no index serves $where: say it with operators or $expr, beside a condition that an index serves",
    "$regex": "an index helps a $regex only if it begins with ^ and heeds case: anchor it, or make a text index",
}


def _fix(rows: list[Row]) -> str:
    """For the worst; where no index serves that one, for the worst that one does serve as well."""
    hopeless = _hopeless(rows[0])
    if hopeless is None:
        return _INDEX
    other = next((row for row in rows if _hopeless(row) is None), None)
    beside = f"; for {other['operation']} {other['shape']}: {_INDEX}" if other else ""
    return _NO_INDEX[hopeless] + beside


def _hopeless(row: Row) -> str | None:
    """The operator that keeps an index away, where nothing else of the filter could use one."""
    operators = [name for name in _NO_INDEX if f'"{name}"' in row["shape"]]
    return operators[0] if operators and not any(map(_serves, _conditions(row).items())) else None


def _conditions(row: Row) -> dict[str, Any]:
    """The fields of the filter, or of a pipeline's first $match; {} where the shape was cut."""
    first = dict(stages(row)[:1])
    found: Any = parsed(row).get("filter") or first.get("$match")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _serves(condition: tuple[str, Any]) -> bool:
    """May an index serve it?"""
    field, value = condition
    return field != "$where" and not (isinstance(value, dict) and "$regex" in value)


def _often(row: Row) -> bool:
    scans, reads = row.get("collection_scans") or 0, row.get("reads") or 0
    enough = (row.get("documents") or 0) >= _DOCUMENTS and not row.get("capped")
    return enough and scans >= _SCANS and scans >= _SHARE * reads


def _counted_scans(row: Row, counted: Period) -> Finding:
    message = f"read whole {row['collection_scans']:,} times{_within(row, counted)}, with {row['documents']:,} documents"
    fix = (
        "find the operations: profile for longer (--profile-seconds), then index the fields of their filters"
    )
    numbers = {key: row[key] for key in ("collection_scans", "reads", "documents")}
    return finding(RULE.id, "warning", collection_subject(row), message, fix, **numbers, **counted.evidence)


def _within(row: Row, counted: Period) -> str:
    """The period where it is known, and the reads unless a part of the scans is none of them (a join's, say)."""
    period = "" if counted.seconds is None else f" in {duration(counted.seconds * 1000)}"
    fewer = row["collection_scans"] <= (row["reads"] or 0)
    return f"{period}, of {row['reads']:,} reads" if fewer else period


RULE = Rule("query.collection_scan", "mongo", "Collection scans", ("collections",), decide)
