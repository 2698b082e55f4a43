"""setting.planner: a way of executing is switched off for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import settings
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """enable_* settings that are off for the whole server or database."""
    for name, row in settings(now).items():
        if name.startswith("enable_") and row["setting"] == "off" and row["default"] == "on":
            yield setting_finding(RULE.id, "warning", now, name, "the planner avoids it in every query")


RULE = Rule("setting.planner", "postgres", "Planner methods switched off", ("settings",), decide)
