"""replication.lag: members that are behind the primary."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

_LATE, _VERY_LATE = 10_000, 60_000
#: An idle primary writes something so often: a delayed member lacks as much more, just before that is its turn.
_NOOP = 10_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """From 10 seconds on; a member that is configured to be late is allowed its delay and a pause of the primary."""
    for row in now.sections["members"]:
        allowed = row["delay_ms"] + _NOOP if row["delay_ms"] else 0
        late = (row["lag_ms"] or 0) - allowed
        if late >= _LATE:
            message = f"{duration(late)} behind the primary ({row['state']})"
            fix = "look at its disk and network, at long operations there and at its flow control; compare the oplog window"
            severity = "error" if late >= _VERY_LATE else "warning"
            yield finding(
                RULE.id, severity, server_subject(row), message, fix, lag_ms=late, state=row["state"]
            )


RULE = Rule("replication.lag", "mongo", "Replication lag", ("members",), decide)
