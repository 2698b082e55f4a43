"""table.missing_index: a large table is read from end to end again and again."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.counters import TABLES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, share, table_subject

#: Below this many rows a scan takes about a millisecond.
_ROWS, _SCANS = 10_000, 20


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Scans that read a good part of a table with many rows, more than a dump or a report now and then."""
    since = period(now, earlier, TABLES)
    rows = [row for row in counted(now, earlier, TABLES) if row["kind"] == "r" and _scanned(row)]
    for row in sorted(rows, key=lambda row: row["seq_scan"] * row["rows"], reverse=True):
        part = share(row["seq_scan"], row["seq_scan"] + row["idx_scan"])
        yield finding(
            RULE.id, "warning", table_subject(row),
            f"{row['seq_scan']:,} sequential scans read {row['seq_tup_read']:,} rows of {row['name']}, which has about"
            f" {row['rows']:,.0f}; {row['idx_scan']:,} scans used an index",
            "find its statements among the slow ones, and index what they filter by",
            rows=row["rows"], seq_scan=row["seq_scan"], seq_tup_read=row["seq_tup_read"], idx_scan=row["idx_scan"],
            share_of_scans=part, last_scan=row.get("last_scan"), **since.evidence,
        )  # fmt: skip


def _scanned(row: Row) -> bool:
    if not row["seq_scan"] or (row["rows"] or 0) < _ROWS:
        return False
    whole = row["seq_tup_read"] / row["seq_scan"] >= 0.3 * row["rows"]
    return bool(whole and row["seq_scan"] >= _SCANS)


RULE = Rule(
    "table.missing_index",
    "postgres",
    "Sequential scans of large tables",
    (
        "tables",
        "databases",
    ),
    decide,
)
