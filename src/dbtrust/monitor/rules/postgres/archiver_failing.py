"""archiver.failing: WAL is not archived: no backup can be restored to now, and the disk fills."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.delta import moment
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """The last try failed."""
    for row in now.sections["archiver"]:
        failed, done = row["last_failed_time"], row["last_archived_time"]
        if (
            setting(now, "archive_mode") == "off"
            or failed is None
            or (done and moment(done) > moment(failed))
        ):
            continue
        yield finding(
            RULE.id, "error", "setting:archive_command",
            f"archiving {row['last_failed_wal']} failed, {row['failed_count']:,} times in all; WAL is kept until it works",
            "look at the server's log for what archive_command said",
            failed=row["failed_count"], archived=row["archived_count"], last_failed=failed, last_archived=done,
        )  # fmt: skip


RULE = Rule(
    "archiver.failing",
    "postgres",
    "WAL archiving fails",
    (
        "archiver",
        "settings",
    ),
    decide,
)
