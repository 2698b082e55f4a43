"""What MongoDB's counters say of a period: since an earlier snapshot, or since each server started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.delta import Counted, between, moment

COLLECTIONS = Counted(
    "collections", ("database", "collection"), ("reads", "read_us", "writes", "write_us", "collection_scans")
)
#: `since` is part of the key: a restart or a new index of the same name begins anew.
INDEX_USAGE = Counted("index_usage", ("database", "collection", "index", "member", "since"), ("ops",))
STATUS = Counted(
    "status", ("member",),
    ("pages_evicted_by_application", "pages_read_into_cache", "pages_requested", "page_faults", "scan_and_order",
     "write_conflicts", "keys_examined", "documents_examined", "documents_returned", "collection_scans",
     "uptime_ms"),
)  # fmt: skip
IndexKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Period:
    """Since when counters count; `seconds` is its length, None where the server does not say."""

    since: str | None
    seconds: float | None

    @property
    def evidence(self) -> dict[str, Any]:
        """What every finding from counters says of their age."""
        return {"counted_since": self.since, "counted_seconds": self.seconds}


def period(now: Snapshot, earlier: Snapshot | None) -> Period:
    """The period of the counters of the server that was asked."""
    started = now.server.get("started_at")
    times = [text for text in (started, earlier.taken_at if earlier else None) if text]
    since = max(times, key=moment, default=None)
    length = None if since is None else (moment(now.taken_at) - moment(since)).total_seconds()
    return Period(since, length if length is None else max(0.0, length))


def collections(now: Snapshot, earlier: Snapshot | None) -> tuple[Row, ...]:
    """Collections with what was counted in the period."""
    return between(now, earlier, COLLECTIONS, now.server.get("started_at"))


def status(now: Snapshot, earlier: Snapshot | None) -> tuple[Row, ...]:
    """Members with what was counted in the period; `uptime_ms` is then its length."""
    return between(now, earlier, STATUS)


def index_use(now: Snapshot, earlier: Snapshot | None) -> dict[IndexKey, dict[str, Any]]:
    """(database, collection, index) -> {ops, since, members}: the sum, and the time since which all count.

    Between two snapshots an index counts since the earlier one, on a member that started later since its start.
    """
    found: dict[IndexKey, dict[str, Any]] = {}
    for row in between(now, earlier, INDEX_USAGE):
        key = (row["database"], row["collection"], row["index"])
        times = [text for text in (row["since"], earlier.taken_at if earlier else None) if text]
        since = max(times, key=moment, default=None)
        use = found.setdefault(key, {"ops": 0, "since": since, "members": 0})
        use["ops"] += row["ops"] or 0
        use["members"] += 1
        # All members count since the youngest counter: before that, one of them does not say.
        if since and (use["since"] is None or moment(since) > moment(use["since"])):
            use["since"] = since
    return found


def slow(now: Snapshot, earlier: Snapshot | None) -> list[Row]:
    """Shapes of slow operations that were seen after `earlier`."""
    rows = now.sections.get("slow", ())
    if earlier is None:
        return list(rows)
    return [row for row in rows if row["last"] and moment(row["last"]) > moment(earlier.taken_at)]
