"""setting.autovacuum: nothing removes dead rows or freezes old ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding

_BAD: Mapping[str, tuple[str, Severity, str]] = {
    "autovacuum": ("off", "error", "dead rows stay, statistics grow old and transaction ids run out"),
    "track_counts": ("off", "error", "autovacuum does not know where to go, and no counter counts"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Autovacuum, and the counters that it goes by."""
    for name, (bad, severity, why) in _BAD.items():
        if setting(now, name) == bad:
            yield setting_finding(RULE.id, severity, now, name, why)


RULE = Rule("setting.autovacuum", "postgres", "Autovacuum switched off", ("settings",), decide)
