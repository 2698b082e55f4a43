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
    "pg_stat_statements.track": ("none", "warning", "statements are not counted"),
    "compute_query_id": ("off", "warning", "no statement has an id, so pg_stat_statements counts none"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """What a diagnosis needs."""
    for name, (bad, severity, why) in _BAD.items():
        if setting(now, name) == bad and (name != "compute_query_id" or _counts_statements(now)):
            yield setting_finding(RULE.id, severity, now, name, why)


def _counts_statements(now: Snapshot) -> bool:
    """Is pg_stat_statements loaded? Nothing else that is read needs ids."""
    return setting(now, "pg_stat_statements.max") is not None


RULE = Rule("setting.tracking", "postgres", "Settings that hide what happens", ("settings",), decide)
