"""table.hot_updates: updates that write every index of the table."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import TABLES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, option, share, stored, table_subject

_UPDATES, _SHARE = 5_000, 0.5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """An update is cheap (HOT) if it changes no indexed column and its page has room."""
    since = period(now, earlier, TABLES)
    for row in stored(counted(now, earlier, TABLES)):
        if row["updates"] < _UPDATES or row["hot_updates"] >= _SHARE * row["updates"]:
            continue
        yield finding(
            RULE.id, "info", table_subject(row),
            f"{share(row['hot_updates'], row['updates']):.0%} of {row['updates']:,} updates of {row['name']} were HOT;"
            " the others wrote every index",
            "do not index columns that each update changes; else leave room on the pages with fillfactor",
            updates=row["updates"], hot_updates=row["hot_updates"], newpage_updates=row.get("newpage_updates"),
            fillfactor=option(row, "fillfactor") or "100", **since.evidence,
        )  # fmt: skip


RULE = Rule(
    "table.hot_updates",
    "postgres",
    "Few HOT updates",
    (
        "tables",
        "databases",
    ),
    decide,
)
