"""server.connections: connections near the limit."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

_MANY, _NEARLY_ALL = 0.8, 0.95


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member."""
    for row in now.sections["status"]:
        used, free = row["connections"], row["connections_available"]
        if used is None or free is None or used < _MANY * (used + free):
            continue
        message = f"{used:,} of {used + free:,} connections are used"
        fix = "smaller pools in the programs (maxPoolSize), one client for each process, or a higher limit"
        severity = "error" if used >= _NEARLY_ALL * (used + free) else "warning"
        yield finding(RULE.id, severity, server_subject(row), message, fix, used=used, free=free)


RULE = Rule("server.connections", "mongo", "Connections near the limit", ("status",), decide)
