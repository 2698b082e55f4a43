"""index.unused: no query of this server read the index for as long as counters know."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration, size
from dbtrust.monitor.counters import INDEXES, TABLES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import SMALL, drop_index, finding, index_subject, rolled_up

#: Counters younger than a day have not seen a day's work; those younger than a week miss what runs once a week.
_SHORT, _LONG = 86_400.0, 7 * 86_400.0


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Partitions count as their parent's index. A table that nobody read says nothing of its indexes.

    No verdict from counters that are younger than a day, or of which nothing shows that they are older.
    """
    tables = {row["oid"]: row for row in rolled_up(counted(now, earlier, TABLES), ("seq_scan", "idx_scan"))}
    since = period(now, earlier, INDEXES)
    if since.proven is None or since.proven < _SHORT:
        return
    long = since.proven >= _LONG
    age = duration(since.proven * 1000) + ("" if since.seconds is not None else " at least")
    caution = "" if long else "; too short to drop it yet"
    for row in rolled_up(counted(now, earlier, INDEXES), ("idx_scan", "bytes")):
        table = tables.get(row["table_oid"], {})
        if row["idx_scan"] or not _free(row) or not _read(table):
            continue
        yield finding(
            RULE.id, "warning" if long else "info", index_subject(row),
            f"no query read {row['name']} on {row['table']} ({size(row['bytes'])}) in {age}{caution}",
            f"look at every replica, then {drop_index(row)}",
            bytes=row["bytes"], last_scan=row.get("last_scan") or "never seen", index_age="not known to the server",
            table_reads=table["seq_scan"] + table["idx_scan"], **since.evidence,
        )  # fmt: skip


def _free(row: Row) -> bool:
    """Nothing stands on it, and it is worth its drop."""
    marks = ("unique", "primary", "exclusion", "clustered", "replica_identity", "foreign_key")
    return row["bytes"] >= SMALL and not any(row[mark] for mark in marks) and not row["constraints"]


def _read(table: Row) -> bool:
    return bool(table) and table["seq_scan"] + table["idx_scan"] >= 100


RULE = Rule(
    "index.unused", "postgres", "Indexes that nothing reads", ("indexes", "tables", "databases"), decide
)
