"""What the diagnostics of slow operations say alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.mongo_counters import slow
from dbtrust.monitor.rules.mongo._common import by_collection

#: An operation that examines fewer documents than this on each run is not worth advice.
FEW_EXAMINED = 1_000
#: A shape of which less than half of the time is work waits for others: no index helps it.
_WORKS = 0.5
_SHOWN = 5


def working(now: Snapshot, earlier: Snapshot | None) -> Iterator[Row]:
    """Shapes that spend their time on work, and not on waiting."""
    return (r for r in slow(now, earlier) if not r["total_ms"] or r["working_ms"] >= _WORKS * r["total_ms"])


def worst_first(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows of each collection, those that took the most time first."""
    for group in by_collection(rows).values():
        yield sorted(group, key=lambda row: -row["total_ms"])


def each(row: Row, key: str) -> float:
    """A count for each run."""
    return row[key] / row["count"]


def times(row: Row) -> str:
    """once, 3 times."""
    return "once" if row["count"] == 1 else f"{row['count']} times"


def result(row: Row) -> float:
    """Documents returned or written, at least one for each run."""
    return max(row["count"], row["returned"] + row["modified"])


def filtered(row: Row) -> bool:
    """Does it look for something? Without a filter there is nothing that an index could narrow."""
    return '"filter": {' in row["shape"] or '{"$match"' in row["shape"]


def parsed(row: Row) -> dict[str, Any]:
    """The shape as a document; {} where it was cut."""
    try:
        return cast("dict[str, Any]", json.loads(row["shape"]))
    except ValueError:
        return {}


def stages(row: Row) -> list[tuple[str, Any]]:
    """(name, value) of each stage of a pipeline; [] for what is none, or was cut."""
    found = cast("list[Any]", parsed(row).get("pipeline") or [])
    return [
        pair for stage in found if isinstance(stage, dict) for pair in cast("dict[str, Any]", stage).items()
    ]


def evidence(rows: list[Row]) -> dict[str, Any]:
    """The worst shapes as a finding shows them."""
    names = (
        "operation", "shape", "plan", "count", "total_ms", "max_ms", "keys", "documents", "returned", "query_hash",
        "sources", "first", "last", "example",
    )  # fmt: skip
    return {"shapes": [{name: row[name] for name in names if name in row} for row in rows[:_SHOWN]]}
