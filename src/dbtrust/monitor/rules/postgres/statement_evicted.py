"""statement.evicted: pg_stat_statements forgets statements faster than they come back."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import INFO, counted, period, setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Entries were thrown out for new ones: what is seldom is missing, and sums are too small."""
    for row in counted(now, earlier, INFO):
        if row["dealloc"]:
            since = period(now, earlier, INFO, row)
            yield finding(
                RULE.id, "info", "setting:pg_stat_statements.max",
                f"the least used statements were thrown out {row['dealloc']:,} times; shares are of what was kept",
                "raise pg_stat_statements.max, or send fewer different statements (one text with parameters)",
                dealloc=row["dealloc"], max=setting(now, "pg_stat_statements.max"), **since.evidence,
            )  # fmt: skip


RULE = Rule(
    "statement.evicted",
    "postgres",
    "Statements are thrown out of the statistics",
    (
        "statements_info",
        "settings",
    ),
    decide,
)
