"""The tables that `monitor` shows of a MongoDB server: the seed's three, what runs now, and the members."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from dbtrust.model.monitor import Column, EngineView, Listing
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.listing import listing, most
from dbtrust.monitor.mongo_counters import collections, index_use, period, slow

_SLOW = "what the profiler and the last 1,024 lines of the log hold"


def view(now: Snapshot, earlier: Snapshot | None) -> EngineView:
    """See leaf.Leaf. A section that is absent has no listing."""
    makers: dict[str, Callable[[Snapshot, Snapshot | None], Listing]] = {
        "slow": _slow, "index_usage": _indexes, "collections": _collections, "operations": _running,
        "members": _members, "status": _status,
    }  # fmt: skip
    listings = [make(now, earlier) for name, make in makers.items() if name in now.sections]
    found = period(now, earlier)
    names = ("version", "database", "role", "set", "started_at")
    facts = {name: now.server.get(name) for name in names}
    return EngineView("mongo", now.taken_at, found.since, found.seconds, facts, tuple(listings))


def _slow(now: Snapshot, earlier: Snapshot | None) -> Listing:
    rows = slow(now, earlier)
    total = sum(row["total_ms"] for row in rows)
    shown: list[dict[str, Any]] = [
        {**row, "share": row["total_ms"] / total if total else None, "mean": row["total_ms"] / row["count"]}
        for row in rows
    ]
    columns = (
        Column("total_ms", "total", "ms"), Column("share", "share", "share"), Column("count", "times", "count"),
        Column("mean", "mean", "ms"), Column("label", "collection", "name"), Column("operation", "operation", "name"),
        Column("plan", "plan", "code"), Column("documents", "documents examined", "count"),
        Column("returned", "returned", "count"), Column("shape", "shape", "code"),
    )  # fmt: skip
    return listing(
        "slow_operations",
        "Slow operations by total time",
        columns,
        most(shown, itemgetter("total_ms")),
        _threshold(now),
    )


def _threshold(now: Snapshot) -> str:
    """From which time on operations are seen, by what was set on the server."""
    rows = now.sections.get("profiler_settings", ())
    if not rows:
        return _SLOW
    odd = [f"everything in {row['database']} (level 2)" for row in rows if row["level"] == 2]
    odd += [f"in {row['database']} what its own filter lets through" for row in rows if row["filter"]]
    told = {row["slow_ms"] for row in (*rows, *now.sections.get("thresholds", ()))}
    if seconds := now.server.get("profiled_seconds"):
        odd.append(f"for {seconds:g} seconds at least 100 ms")
    least = " or ".join(f"{ms}" for ms in sorted(told))
    return f"{', '.join([f'at least {least} ms each', *odd])}: {_SLOW}"


def _indexes(now: Snapshot, earlier: Snapshot | None) -> Listing:
    sizes = {(r["database"], r["collection"], r["index"]): r for r in now.sections.get("indexes", ())}
    shown: list[Row] = []
    for key, use in index_use(now, earlier).items():
        row = sizes.get(key, {})
        shown.append({**use, "index": key[2], "label": row.get("label", key[1]), "bytes": row.get("bytes")})
    columns = (
        Column("index", "index", "name"), Column("label", "collection", "name"), Column("ops", "uses", "count"),
        Column("since", "counted since", "time"), Column("members", "members", "count"),
        Column("bytes", "size", "bytes"),
    )  # fmt: skip
    note = "uses of all members that answered; counters begin when a server starts"
    return listing("indexes", "Index usage", columns, most(shown, itemgetter("ops")), note)


def _collections(now: Snapshot, earlier: Snapshot | None) -> Listing:
    rows = [row for row in collections(now, earlier) if row["type"] == "collection"]
    counts: dict[tuple[str, str], int] = {}
    for index in now.sections.get("indexes", ()):
        key = (index["database"], index["collection"])
        counts[key] = counts.get(key, 0) + 1
    shown = [{**row, "indexes": counts.get((row["database"], row["collection"]))} for row in rows]
    columns = (
        Column("label", "collection", "name"), Column("documents", "documents", "count"),
        Column("bytes", "data", "bytes"), Column("storage_bytes", "stored", "bytes"),
        Column("free_bytes", "free", "bytes"), Column("indexes", "indexes", "count"),
        Column("index_bytes", "index size", "bytes"), Column("reads", "reads", "count"),
        Column("writes", "writes", "count"), Column("collection_scans", "scans", "count"),
    )  # fmt: skip
    note = "what monitor itself has read of a collection is among its reads and scans"
    return listing("collections", "Collections by size", columns, most(shown, itemgetter("bytes")), note)


def _running(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("opid", "operation", "name"), Column("member", "member", "name"), Column("app", "application", "text"),
        Column("operation", "command", "name"), Column("collection", "collection", "name"),
        Column("running_ms", "runs for", "ms"), Column("open_ms", "transaction", "ms"),
        Column("waiting_for_lock", "waits", "text"), Column("shape", "shape", "code"),
    )  # fmt: skip
    return listing(
        "operations", "What runs now", columns, most(now.sections["operations"], itemgetter("running_ms"))
    )


def _members(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("member", "member", "name"), Column("state", "state", "text"), Column("lag_ms", "behind", "ms"),
        Column("votes", "votes", "count"), Column("priority", "priority", "count"),
    )  # fmt: skip
    return listing("members", "Members of the replica set", columns, now.sections["members"])


def _status(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("member", "member", "name"), Column("cache_used_bytes", "cache", "bytes"),
        Column("cache_dirty_bytes", "dirty", "bytes"), Column("cache_max_bytes", "of", "bytes"),
        Column("connections", "connections", "count"), Column("read_tickets_free", "read tickets free", "count"),
        Column("write_tickets_free", "write tickets free", "count"), Column("queued_readers", "queued readers", "count"),
        Column("queued_writers", "queued writers", "count"),
    )  # fmt: skip
    return listing("status", "Load of each member", columns, now.sections["status"])
