"""The tables that `monitor` shows of a PostgreSQL server: the seed's five, locks and sessions."""

from __future__ import annotations

from dbtrust.judge.rules.indexes import named
from dbtrust.model.monitor import Column, EngineView, Listing
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.counters import (
    INDEXES,
    IO,
    NEVER_RESET,
    STATEMENTS,
    TABLES,
    counted,
    period,
    setting,
    statements,
)
from dbtrust.monitor.listing import listing, most


def view(now: Snapshot, earlier: Snapshot | None) -> EngineView:
    """See leaf.Leaf. A section that is absent has no listing."""
    found = period(now, earlier, TABLES)
    makers = {
        "statements": (_slow, _reading), "tables": (_scanned,), "indexes": (_used, _unused), "io": (_io,),
        "locks": (_locks,), "activity": (_sessions,),
    }  # fmt: skip
    listings = [make(now, earlier) for name, many in makers.items() if name in now.sections for make in many]
    names = ("version", "database", "role", "standby", "started_at")
    facts = {name: now.server.get(name) for name in names}
    facts["counters"] = NEVER_RESET if found.since is None else None
    return EngineView("postgres", now.taken_at, found.since, found.seconds, facts, tuple(listings))


def _texts(now: Snapshot) -> dict[str, str]:
    return {row["queryid"]: row["query"] for row in now.sections.get("statement_texts", ())}


def _slow(now: Snapshot, earlier: Snapshot | None) -> Listing:
    rows, texts = statements(now, earlier), _texts(now)
    total = sum(row["total_exec_time"] for row in rows)
    shown = [
        {**row, "query": texts.get(row["queryid"], ""), "share": row["total_exec_time"] / total if total else None,
         "mean": row["total_exec_time"] / row["calls"]}
        for row in rows if row["calls"]
    ]  # fmt: skip
    columns = (
        Column("total_exec_time", "total", "ms"), Column("share", "share", "share"), Column("calls", "calls", "count"),
        Column("mean", "mean", "ms"), Column("rows", "rows", "count"), Column("query", "statement", "code"),
        Column("queryid", "id", "name"),
    )  # fmt: skip
    return listing(
        "statements",
        "Slowest statements by total time",
        columns,
        most(shown, lambda r: r["total_exec_time"]),
        _uncounted(now),
    )


def _uncounted(now: Snapshot) -> str:
    """What pg_stat_statements does not count, by its own settings."""
    said = {
        "pg_stat_statements.track": ("top", "what functions run is counted in the statement that calls them"),
        "pg_stat_statements.track_utility": ("off", "utility statements are not counted"),
    }
    found = [
        f"{why} ({name} = {value})" for name, (value, why) in said.items() if setting(now, name) == value
    ]
    return "; ".join(found)


def _reading(now: Snapshot, earlier: Snapshot | None) -> Listing:
    texts = _texts(now)
    untimed = _untimed(now)
    shown: list[Row] = []
    for row in statements(now, earlier):
        blocks = row["shared_blks_hit"] + row["shared_blks_read"]
        if not row["shared_blks_read"]:
            continue
        rate = period(now, earlier, STATEMENTS, row).per_second(row["shared_blks_read"])
        more = {"query": texts.get(row["queryid"], ""), "hit": row["shared_blks_hit"] / blocks, "rate": rate}
        shown.append({**row, **more, **untimed})
    columns = (
        Column("shared_blks_read", "blocks read", "count"), Column("rate", "blocks/s", "per_second"),
        Column("hit", "hit ratio", "share"), Column("read_time", "read time", "ms"),
        Column("query", "statement", "code"), Column("queryid", "id", "name"),
    )  # fmt: skip
    note = "reads may come from the operating system's cache; the read time tells"
    note += f" ({_UNTIMED})" if untimed else ""
    return listing(
        "statement_io",
        "Statements that read most",
        columns,
        most(shown, lambda r: r["shared_blks_read"]),
        note,
    )


def _scanned(now: Snapshot, earlier: Snapshot | None) -> Listing:
    shown = [
        {**row, "table": named(row["schema"], row["name"]),
         "each": row["seq_tup_read"] / row["seq_scan"], "weight": row["seq_scan"] * (row["rows"] or 0)}
        for row in counted(now, earlier, TABLES) if row["seq_scan"] and row["kind"] in ("r", "m")
    ]  # fmt: skip
    columns = (
        Column("table", "table", "name"), Column("rows", "rows", "count"), Column("seq_scan", "scans", "count"),
        Column("seq_tup_read", "rows read", "count"), Column("each", "rows a scan", "count"),
        Column("idx_scan", "index scans", "count"), Column("bytes", "size", "bytes"),
    )  # fmt: skip
    return listing(
        "sequential_scans",
        "Sequential scans, weighted by the table's rows",
        columns,
        most(shown, lambda r: r["weight"]),
    )


_INDEX_COLUMNS = (
    Column("index", "index", "name"), Column("table", "table", "name"), Column("idx_scan", "scans", "count"),
    Column("idx_tup_read", "entries read", "count"), Column("idx_tup_fetch", "rows fetched", "count"),
    Column("bytes", "size", "bytes"), Column("last_scan", "last scan", "time"),
)  # fmt: skip


def _indexes(now: Snapshot, earlier: Snapshot | None) -> list[Row]:
    rows = counted(now, earlier, INDEXES)
    return [
        {**row, "index": named(row["schema"], row["name"]), "table": named(row["table_schema"], row["table"])}
        for row in rows
    ]


def _used(now: Snapshot, earlier: Snapshot | None) -> Listing:
    rows = [row for row in _indexes(now, earlier) if row["idx_scan"]]
    return listing("indexes", "Index usage", _INDEX_COLUMNS, most(rows, lambda r: r["idx_scan"]))


def _unused(now: Snapshot, earlier: Snapshot | None) -> Listing:
    rows = [row for row in _indexes(now, earlier) if not row["idx_scan"]]
    note = "here and in this period; a unique index works without being read, and replicas count on their own"
    return listing(
        "unused_indexes",
        "Indexes that were not read",
        _INDEX_COLUMNS,
        most(rows, lambda r: r["bytes"]),
        note,
    )


def _io(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("backend_type", "process", "name"), Column("object", "object", "name"), Column("context", "context", "name"),
        Column("read_bytes", "read", "bytes"), Column("read_time", "read time", "ms"),
        Column("write_bytes", "written", "bytes"), Column("write_time", "write time", "ms"),
        Column("hits", "hits", "count"), Column("evictions", "evictions", "count"),
    )  # fmt: skip
    untimed = _untimed(now)
    rows = [{**row, **untimed} for row in counted(now, earlier, IO)]
    note = _UNTIMED if untimed else ""
    return listing("io", "Reads and writes by process", columns, most(rows, lambda r: r["read_bytes"]), note)


_UNTIMED = "times are unknown: track_io_timing is off"


def _untimed(now: Snapshot) -> Row:
    """No times where the server takes none: it tells 0."""
    return {"read_time": None, "write_time": None} if setting(now, "track_io_timing") == "off" else {}


def _locks(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("pid", "waits", "name"), Column("blocked_by", "held by", "name"), Column("mode", "mode", "name"),
        Column("relation", "relation", "name"), Column("waited_ms", "waited", "ms"),
    )  # fmt: skip
    return listing(
        "locks",
        "Sessions that wait for a lock",
        columns,
        most(now.sections["locks"], lambda r: r["waited_ms"]),
    )


def _sessions(now: Snapshot, earlier: Snapshot | None) -> Listing:
    columns = (
        Column("pid", "pid", "name"), Column("role", "role", "name"), Column("application", "application", "text"),
        Column("state", "state", "text"), Column("wait_event", "waits for", "text"),
        Column("xact_ms", "transaction", "ms"), Column("query", "statement", "code"),
    )  # fmt: skip
    rows = [row for row in now.sections["activity"] if row["backend_type"] == "client backend"]
    return listing("sessions", "Sessions", columns, most(rows, lambda r: r["xact_ms"]))
