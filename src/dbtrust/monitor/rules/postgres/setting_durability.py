"""setting.durability: a crash or a bad page loses data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._settings import setting_finding

_BAD: Mapping[str, tuple[str, Severity, str]] = {
    "fsync": ("off", "error", "a crash of the system corrupts the database"),
    "full_page_writes": ("off", "error", "a crash in the middle of a write leaves a torn page"),
    "zero_damaged_pages": ("on", "error", "damaged pages are emptied without a word"),
    "ignore_checksum_failure": ("on", "error", "damaged pages are read as if they were whole"),
    "synchronous_commit": ("off", "info", "a crash loses the last commits, though nothing is corrupted"),
}


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """What no production server may have, and one that is a decision."""
    for name, (bad, severity, why) in _BAD.items():
        if setting(now, name) == bad:
            yield setting_finding(RULE.id, severity, now, name, why)


RULE = Rule("setting.durability", "postgres", "Settings that lose data", ("settings",), decide)
