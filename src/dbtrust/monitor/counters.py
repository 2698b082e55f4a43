"""PostgreSQL's counters over the period that is judged, and how old they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import filterfalse
from typing import Any

from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.delta import Counted, between, moment, seconds

_SCANS = ("seq_scan", "seq_tup_read", "idx_scan")
TABLES = Counted(
    "tables",
    ("oid",),
    (*_SCANS, "inserts", "updates", "deletes", "hot_updates", "newpage_updates", "blocks_read", "blocks_hit"),
)
INDEXES = Counted(
    "indexes", ("oid",), ("idx_scan", "idx_tup_read", "idx_tup_fetch", "blocks_read", "blocks_hit")
)
STATEMENTS = Counted(
    "statements", ("userid", "dbid", "queryid", "toplevel", "stats_since"),
    ("plans", "total_plan_time", "calls", "total_exec_time", "rows", "shared_blks_hit", "shared_blks_read",
     "shared_blks_dirtied", "shared_blks_written", "temp_blks_read", "temp_blks_written", "read_time", "write_time",
     "wal_bytes"),
)  # fmt: skip
DATABASES = Counted(
    "databases", ("oid", "stats_reset"),
    ("xact_commit", "xact_rollback", "blks_read", "blks_hit", "blk_read_time", "blk_write_time", "temp_files",
     "temp_bytes", "deadlocks", "conflicts", "checksum_failures"),
)  # fmt: skip
CHECKPOINTS = Counted(
    "checkpoints", ("stats_reset",), ("timed", "requested", "write_time", "sync_time", "buffers_written")
)
IO = Counted(
    "io", ("backend_type", "object", "context", "stats_reset"),
    ("reads", "read_time", "read_bytes", "writes", "write_time", "write_bytes", "extends", "extend_bytes", "hits",
     "evictions", "fsyncs"),
)  # fmt: skip
INFO = Counted("statements_info", ("stats_reset",), ("dealloc",))


#: What stats_reset means where it is null.
NEVER_RESET = "never reset: since the database was made, or the server last crashed"


@dataclass(frozen=True, slots=True)
class Period:
    """Since when counters count; `since` and `seconds` are None where the server does not say.

    `proven` is the age in seconds of the oldest thing that the counters remember: so old they are at least.
    """

    since: str | None
    seconds: float | None
    proven: float | None = None

    @property
    def evidence(self) -> dict[str, Any]:
        """What every finding from counters says of their age."""
        return {"counted_since": self.since or NEVER_RESET, "counted_seconds": self.seconds}

    def per_second(self, count: float) -> float | None:
        return count / self.seconds if self.seconds else None


def _reset(now: Snapshot, section: str) -> str | None:
    """The latest reset that the section's counters tell; those of tables and indexes are the database's."""
    if section in ("tables", "indexes"):
        return this_database(now).get("stats_reset")
    if section == "statements":
        return next((row["stats_reset"] for row in now.sections.get("statements_info", ())), None)
    return None


def counted(now: Snapshot, earlier: Snapshot | None, what: Counted) -> tuple[Row, ...]:
    """The rows of a section with what was counted in the period."""
    return between(now, earlier, what, _reset(now, what.section))


def _is_own(now: Snapshot) -> Callable[[Row], bool]:
    """Tells whether `monitor` itself sent a statement, as far as the texts can be seen.

    The same statement of a role that does not monitor is that role's.
    """
    texts = now.sections.get("statement_texts", ())
    own = {(text["queryid"], role) for text in texts for role in text.get("own_of") or ()}
    return lambda row: (row["queryid"], row.get("userid")) in own


def own_blocks(now: Snapshot, earlier: Snapshot | None) -> tuple[int, int]:
    """(read, hit): blocks that `monitor` itself asked for in the period, as far as anything tells them.

    Without pg_stat_statements it is what measuring read the last time, all of it taken as read.
    """
    if "statements" in now.sections:
        rows = list(filter(_is_own(now), counted(now, earlier, STATEMENTS)))
        return sum(row["shared_blks_read"] for row in rows), sum(row["shared_blks_hit"] for row in rows)
    measured = (earlier or now).sections
    sizes = (row["bytes"] for name in ("table_bloat", "index_bloat") for row in measured.get(name, ()))
    return sum(sizes) // int(now.server.get("block_size", 8192)), 0


def statements(now: Snapshot, earlier: Snapshot | None) -> list[Row]:
    """What was counted of each statement in the period, without those that `monitor` itself sends."""
    return list(filterfalse(_is_own(now), counted(now, earlier, STATEMENTS)))


def period(now: Snapshot, earlier: Snapshot | None, what: Counted, row: Row | None = None) -> Period:
    """The period of a section's counters; `row` is one of its rows, where each tells its own reset."""
    reset = (row or {}).get("stats_since") or (row or {}).get("stats_reset") or _reset(now, what.section)
    times = [t for t in (reset, earlier.taken_at if earlier else None) if t is not None]
    since = max(times, key=moment) if times else None
    length = seconds(since, now.taken_at)
    return Period(since, length, seconds(_oldest(now), now.taken_at) if length is None else length)


def _oldest(now: Snapshot) -> str | None:
    """The earliest vacuum, analyze, scan or statement that this database's counters tell of."""
    names = ("last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze", "last_scan", "stats_since")
    rows = (row for section in ("tables", "indexes", "statements") for row in now.sections.get(section, ()))
    return min((row[name] for row in rows for name in names if row.get(name)), key=moment, default=None)


def this_database(now: Snapshot) -> Row:
    """The row of the database that was read; {} where there is none."""
    rows = [row for row in now.sections.get("databases", ()) if row["current"]]
    return rows[0] if rows else dict[str, Any]()


def settings(now: Snapshot) -> Mapping[str, Row]:
    """Settings by name."""
    return {row["name"]: row for row in now.sections.get("settings", ())}


def setting(now: Snapshot, name: str) -> str | None:
    """One setting as the server stores it, in its own unit; None where the server has none of that name."""
    row = settings(now).get(name)
    return None if row is None else str(row["setting"])


def number(now: Snapshot, name: str, default: float) -> float:
    """A setting that is a number, in its own unit."""
    text = setting(now, name)
    return default if text is None else float(text)
