"""query.in_memory_sort: operations that sort in memory, or on disk, what an index could give in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import collection_subject, finding
from dbtrust.monitor.rules.mongo._slow import (
    FEW_EXAMINED,
    each,
    evidence,
    stages,
    times,
    working,
    worst_first,
)


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each collection: about what an index could give in order, or else what went to disk."""
    for rows in worst_first(row for row in working(now, earlier) if _sorts(row)):
        curable = [row for row in rows if not _of_results(row)]
        if curable:
            yield _finding(curable)
        elif on_disk := [row for row in rows if row["used_disk"]]:
            yield _of_disk(on_disk)


def _sorts(row: Row) -> bool:
    return bool(row["used_disk"]) or (row["sorted"] > 0 and each(row, "documents") >= FEW_EXAMINED)


def _of_results(row: Row) -> bool:
    """Does its first $sort need what the stages before it have made? No index has that in order."""
    before: list[tuple[str, Any]] = []
    for name, value in stages(row):
        if name == "$sort":
            keys = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
            roots = {_root(field) for field in keys}
            return any(_makes(*stage, roots) for stage in before)
        before.append((name, value))
    return False


def _root(path: str) -> str:
    return path.partition(".")[0]


def _makes(name: str, value: Any, roots: set[str]) -> bool:
    """Does the stage make the documents anew, or the fields that are sorted?"""
    if name in ("$match", "$unset"):
        return False
    if not isinstance(value, dict) or name not in _ADDS:
        return True
    parts = cast("dict[str, Any]", value)
    if name in ("$lookup", "$graphLookup"):
        return _root(str(parts.get("as", ""))) in roots
    # A projection's 1 is "?" in a shape; a path or an expression is computed.
    return any(_root(key) in roots and (name != "$project" or part != "?") for key, part in parts.items())


_ADDS = frozenset({"$project", "$addFields", "$set", "$lookup", "$graphLookup"})


def _of_disk(rows: list[Row]) -> Finding:
    worst = rows[0]
    message = (
        f"{worst['operation']} {worst['shape']} sorts what it has computed and needs the disk, {times(worst)}, "
        f"{duration(worst['total_ms'])} in all"
    )
    fix = (
        "sort less: $match, $limit and $project before it; no index has the order of what a pipeline computes"
    )
    return finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


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
    names = [name for name, _ in stages(worst)]
    if "$sort" in names and set(names[: names.index("$sort")]) - {"$match", "$lookup"}:
        fix += ", and put $sort right behind $match: it cannot use an index behind other stages"
    return finding(RULE.id, "warning", collection_subject(worst), message, fix, **evidence(rows))


RULE = Rule("query.in_memory_sort", "mongo", "Sorts in memory and on disk", ("slow",), decide)
