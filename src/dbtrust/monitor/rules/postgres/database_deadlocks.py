"""database.deadlocks: transactions were thrown away because they waited for each other."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import DATABASES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Any; each one cost somebody a transaction."""
    for row in counted(now, earlier, DATABASES):
        if row["current"] and row["deadlocks"]:
            since = period(now, earlier, DATABASES, row)
            yield finding(
                RULE.id, "warning", f"database:{row['name']}",
                f"{row['deadlocks']:,} deadlocks ended a transaction each",
                "lock rows in one order everywhere (ORDER BY the key in SELECT … FOR UPDATE); the log names the statements",
                deadlocks=row["deadlocks"], **since.evidence,
            )  # fmt: skip


RULE = Rule("database.deadlocks", "postgres", "Deadlocks", ("databases",), decide)
