"""server.queues: operations that wait for the global lock."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

_MANY = 10


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member where ten or more wait at this moment."""
    for row in now.sections["status"]:
        readers, writers = row["queued_readers"] or 0, row["queued_writers"] or 0
        if readers + writers >= _MANY:
            message = f"{readers} readers and {writers} writers wait for the global lock"
            fix = "look at db.currentOp() for what holds it: fsyncLock, a drop, a foreground build"
            yield finding(
                RULE.id, "warning", server_subject(row), message, fix, readers=readers, writers=writers
            )


RULE = Rule("server.queues", "mongo", "Queues for the global lock", ("status",), decide)
