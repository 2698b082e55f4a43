"""index.unused: indexes that no member has used while its collection was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration, size
from dbtrust.monitor.delta import moment
from dbtrust.monitor.mongo_counters import IndexKey, collections, index_use
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, index_subject, keys, large, place, shell, text

#: Below this many reads of a collection, nothing can be said of its indexes.
_READS = 10
#: Below so many uses _id_ may have been read by dbtrust's samples alone, which read both of its ends.
_ID_USES = 100
#: Seconds of a day, below which counters have not seen a day's work, and of a week, for what happens once a week.
_SHORT, _LONG = 86_400.0, 7 * 86_400.0
#: What an index does without being read.
_WORK = ("unique", "prepareUnique", "expireAfterSeconds", "clustered")


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Never _id, unique, TTL, hidden or building ones; nothing for small collections or below a day."""
    if now.server.get("role") == "mongos":
        return
    uses = index_use(now, earlier)
    use = {key: found for key, found in uses.items() if _age(now, found) >= _SHORT}
    by_programs = _uses(uses)
    read = {place(row) for row in collections(now, earlier) if _read(row, by_programs)} & large(now)
    for row in now.sections["indexes"]:
        found = use.get((row["database"], row["collection"], row["index"]))
        if place(row) in read and found is not None and not found["ops"] and _candidate(row):
            yield _finding(now, row, found)


def _uses(uses: Mapping[IndexKey, Row]) -> dict[tuple[str, str], float]:
    """(database, collection) -> uses of its indexes; of _id_ those that dbtrust's samples cannot be alone."""
    found: dict[tuple[str, str], float] = {}
    for (database, collection, index), use in uses.items():
        count = 0 if index == "_id_" and use["ops"] < _ID_USES else use["ops"]
        found[database, collection] = found.get((database, collection), 0) + count
    return found


def _read(row: Row, uses: Mapping[tuple[str, str], float]) -> bool:
    """Do programs read it? The server's count of reads has dbtrust's own, so uses and scans have to say it as well."""
    found = uses.get(place(row), 0) + (row.get("collection_scans") or 0)
    return (row.get("reads") or 0) >= _READS and found >= _READS


def _age(now: Snapshot, use: Row) -> float:
    """Seconds for which all members have counted."""
    return (moment(now.taken_at) - moment(use["since"])).total_seconds() if use["since"] else 0.0


def _candidate(row: Row) -> bool:
    definition = row["definition"]
    works = any(definition.get(name) is not None for name in _WORK) or row["hidden"] or row["building"]
    return row["index"] != "_id_" and not works


def _finding(now: Snapshot, row: Row, use: Row) -> Finding:
    since, age = use["since"], _age(now, use)
    complete = bool(now.server.get("index_usage_complete"))
    missing = "" if complete else "; members that did not answer may use it"
    message = (
        f"{row['index']} {keys(row['definition'])} was not used for {duration(age * 1000)} on "
        f"{use['members']} member{'s' if use['members'] > 1 else ''}{missing}"
    )
    if row["bytes"] is not None:
        message += f"; it holds {size(row['bytes'])}"
    fix = f"hide it first ({shell(row)}.hideIndex({text(row['index'])})), drop it when nothing gets slower"
    evidence = {"since": since, "age_seconds": age, "members": use["members"], "all_members": complete}
    sure = complete and age >= _LONG
    return finding(
        RULE.id, "warning" if sure else "info", index_subject(row), message, fix,
        **evidence, bytes=row["bytes"], definition=dict(row["definition"]),
    )  # fmt: skip


RULE = Rule(
    "index.unused",
    "mongo",
    "Unused indexes",
    (
        "index_usage",
        "indexes",
        "collections",
    ),
    decide,
)
