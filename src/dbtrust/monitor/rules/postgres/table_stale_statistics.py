"""table.stale_statistics: the planner plans for rows that are no longer there."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.monitor.delta import seconds
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._autovacuum import autovacuum_starts
from dbtrust.monitor.rules.postgres._common import FEW_ROWS, finding, sql_name, stored, table_subject

#: Seconds: five of autovacuum's rounds.
_SOON = 300.0


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Changed rows are three times the point at which autovacuum analyzes."""
    for row in stored(now.sections["tables"]):
        limit = autovacuum_starts(now, row, "analyze", 0.1)
        few = row["modified_since_analyze"] < max(FEW_ROWS, 3 * limit)
        if row["rows"] is None or few or _just_analyzed(now, row):
            continue
        yield finding(
            RULE.id, "warning", table_subject(row),
            f"{row['modified_since_analyze']:,} rows of {row['name']} changed since it was analyzed; autovacuum"
            f" analyzes at {limit:,.0f}",
            f"ANALYZE {sql_name(row)};", rows=row["rows"], modified=row["modified_since_analyze"],
            last_analyze=row["last_analyze"], last_autoanalyze=row["last_autoanalyze"],
        )  # fmt: skip


def _just_analyzed(now: Snapshot, row: Row) -> bool:
    """Autovacuum may not have come by since; a table that is loaded and analyzed in one go counts its rows later."""
    last = [row[name] for name in ("last_analyze", "last_autoanalyze") if row[name]]
    return any((seconds(time, now.taken_at) or 0.0) < _SOON for time in last)


RULE = Rule(
    "table.stale_statistics",
    "postgres",
    "Old planner statistics",
    (
        "tables",
        "settings",
    ),
    decide,
)
