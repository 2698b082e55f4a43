"""database.rollbacks: much of the work is thrown away."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import DATABASES, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_ENOUGH, _SHARE = 1_000, 0.1


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A tenth of all transactions, where there are enough to tell."""
    for row in counted(now, earlier, DATABASES):
        all_ = (row["xact_commit"] or 0) + (row["xact_rollback"] or 0)
        if not row["current"] or all_ < _ENOUGH or row["xact_rollback"] < _SHARE * all_:
            continue
        since = period(now, earlier, DATABASES, row)
        yield finding(
            RULE.id, "info", f"database:{row['name']}",
            f"{row['xact_rollback'] / all_:.0%} of {all_:,} transactions were rolled back",
            "look for errors in the log; a program that only reads may also end its transactions so",
            rollbacks=row["xact_rollback"], commits=row["xact_commit"], **since.evidence,
        )  # fmt: skip


RULE = Rule("database.rollbacks", "postgres", "Many rollbacks", ("databases",), decide)
