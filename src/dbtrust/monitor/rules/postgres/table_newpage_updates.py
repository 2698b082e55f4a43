"""table.newpage_updates: rows move because their pages have no room."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import TABLES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, option, sql_name, stored, table_subject

_UPDATES, _SHARE = 5_000, 0.5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Counted since 16: updates whose new row went to another page, which is never HOT."""
    since = period(now, earlier, TABLES)
    for row in stored(counted(now, earlier, TABLES)):
        moved = row.get("newpage_updates") or 0
        if row["updates"] < _UPDATES or moved < _SHARE * row["updates"]:
            continue
        yield finding(
            RULE.id, "info", table_subject(row),
            f"{moved / row['updates']:.0%} of {row['updates']:,} updates of {row['name']} moved the row to another page",
            f"ALTER TABLE {sql_name(row)} SET (fillfactor = 90); it counts for pages that are written from then on",
            updates=row["updates"], newpage_updates=moved, fillfactor=option(row, "fillfactor") or "100",
            **since.evidence,
        )  # fmt: skip


RULE = Rule(
    "table.newpage_updates",
    "postgres",
    "Updates that need a new page",
    (
        "tables",
        "databases",
    ),
    decide,
)
