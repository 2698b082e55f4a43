"""setting.logging: the log does not hold what one looks for afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding

_BAD: Mapping[str, tuple[str, Severity, str]] = {
    "log_lock_waits": ("off", "info", "a wait for a lock leaves no trace"),
    "log_min_duration_statement": ("-1", "info", "a slow statement leaves no trace in the log"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Two things that cost next to nothing; statements may be sampled instead."""
    for name, (bad, severity, why) in _BAD.items():
        sampled = name == "log_min_duration_statement" and setting(now, "log_min_duration_sample") != "-1"
        if setting(now, name) == bad and not sampled:
            yield setting_finding(RULE.id, severity, now, name, why)


RULE = Rule("setting.logging", "postgres", "Settings that leave the log empty", ("settings",), decide)
