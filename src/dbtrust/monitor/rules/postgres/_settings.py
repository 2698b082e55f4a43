"""Findings about one setting."""

from __future__ import annotations

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import settings
from dbtrust.monitor.rules.postgres._common import finding


def setting_finding(rule: str, severity: Severity, now: Snapshot, name: str, why: str) -> Finding:
    """A setting that is as it should not be; the default is what the server would have."""
    row = settings(now)[name]
    default = row["default"]
    fix = f"ALTER SYSTEM RESET {name};" if default != row["setting"] else f"ALTER SYSTEM SET {name} = …;"
    return finding(
        rule, severity, f"setting:{name}", f"{name} is {row['setting']}: {why}", f"{fix} SELECT pg_reload_conf();",
        setting=row["setting"], default=default, source=row["source"],
    )  # fmt: skip
