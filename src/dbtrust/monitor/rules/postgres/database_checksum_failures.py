"""database.checksum_failures: pages on the disk are damaged."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Any since the counters began, in any database: a page that was read is not what was written."""
    for row in now.sections["databases"]:
        if row["checksum_failures"]:
            yield finding(
                RULE.id, "error", f"database:{row['name']}",
                f"{row['checksum_failures']:,} pages of {row['name']} failed their checksum, last"
                f" {row['checksum_last_failure']}",
                "stop writing, check the disk and memory, and restore from a backup; pg_amcheck finds what is damaged",
                failures=row["checksum_failures"], last=row["checksum_last_failure"],
            )  # fmt: skip


RULE = Rule("database.checksum_failures", "postgres", "Checksum failures", ("databases",), decide)
