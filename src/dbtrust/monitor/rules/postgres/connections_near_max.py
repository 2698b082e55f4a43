"""connections.near_max: soon nobody can connect."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import number
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_WARN, _FAIL = 0.8, 0.95


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Client connections against max_connections without those kept for superusers."""
    kept = number(now, "superuser_reserved_connections", 3) + number(now, "reserved_connections", 0)
    limit = number(now, "max_connections", 100) - kept
    rows = [row for row in now.sections["activity"] if row["backend_type"] == "client backend"]
    used = len(rows) + 1  # dbtrust's own
    if used < _WARN * limit:
        return
    states: dict[str, int] = {}
    for row in rows:
        states[row["state"] or "not visible"] = states.get(row["state"] or "not visible", 0) + 1
    yield finding(
        RULE.id, "error" if used >= _FAIL * limit else "warning", "setting:max_connections",
        f"{used} of {limit:.0f} connections are in use",
        "put a pooler in front, or end idle sessions; each connection costs memory", used=used, limit=limit,
        states=states,
    )  # fmt: skip


RULE = Rule(
    "connections.near_max",
    "postgres",
    "Connections near their maximum",
    (
        "activity",
        "settings",
    ),
    decide,
)
