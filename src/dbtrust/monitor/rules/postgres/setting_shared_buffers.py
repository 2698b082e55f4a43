"""setting.shared_buffers: the default is made for a small machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding

_BAD: Mapping[str, tuple[str, Severity, str]] = {
    "shared_buffers": ("16384", "info", "the default, which is made for the smallest machine"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Only the default itself is a fact that a snapshot shows: the memory of the machine is not in it."""
    for name, (bad, severity, why) in _BAD.items():
        if setting(now, name) == bad:
            yield setting_finding(RULE.id, severity, now, name, why)


RULE = Rule("setting.shared_buffers", "postgres", "shared_buffers is the default", ("settings",), decide)
