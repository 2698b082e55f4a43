"""replication.oplog_window: an oplog that reaches back too little."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration, size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

_HOUR, _DAY = 3_600_000, 86_400_000
#: An oplog that is not full yet only tells how young it is.
_FULL = 0.8


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member whose full oplog holds less than a day."""
    for row in now.sections["oplog"]:
        full = (row["bytes"] or 0) >= _FULL * (row["max_bytes"] or 0)
        if full and row["window_ms"] < _DAY:
            message = (
                f"the oplog ({size(row['max_bytes'])}) reaches back {duration(row['window_ms'])}: a member that is away "
                "for longer must be copied anew"
            )
            fix = "a larger one: db.adminCommand({replSetResizeOplog: 1, size: MEGABYTES}) on each member"
            severity = "error" if row["window_ms"] < _HOUR else "warning"
            evidence = {key: row[key] for key in ("window_ms", "bytes", "max_bytes", "first", "last")}
            yield finding(RULE.id, severity, server_subject(row), message, fix, **evidence)


RULE = Rule("replication.oplog_window", "mongo", "Oplog window", ("oplog",), decide)
