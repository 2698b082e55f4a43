"""setting.tracking: the server does not keep what one needs to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding

_BAD: Mapping[str, tuple[str, Severity, str]] = {
    "track_activities": ("off", "warning", "nobody sees what sessions do"),
    "track_io_timing": ("off", "info", "reads are counted and not timed"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """What a diagnosis needs."""
    for name, (bad, severity, why) in _BAD.items():
        if setting(now, name) == bad:
            yield setting_finding(RULE.id, severity, now, name, why)


RULE = Rule("setting.tracking", "postgres", "Settings that hide what happens", ("settings",), decide)
