"""Findings about one setting."""

from __future__ import annotations

from dbtrust.model.report import Finding, Severity
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.counters import setting, settings
from dbtrust.monitor.rules.postgres._common import finding


def setting_finding(rule: str, severity: Severity, now: Snapshot, name: str, why: str) -> Finding:
    """A setting that is as it should not be; the default is what the server would have.

    No error on a server that dbtrust itself started (`dbtrust servers start`): it is made to be thrown away.
    """
    row = settings(now)[name]
    value = with_unit(row["setting"], row["unit"])
    default = row["default"]
    if severity == "error" and (setting(now, "cluster_name") or "").startswith("dbtrust-"):
        severity, why = "info", f"{why} (a scratch server of dbtrust is meant to be so)"
    return finding(
        rule, severity, f"setting:{name}", f"{name} is {value}: {why}", _fix(row),
        setting=value, default=with_unit(default, row["unit"]), source=row["source"],
    )  # fmt: skip


def _fix(row: Row) -> str:
    """Back to the default; where that is what is wrong, the other value. Some settings only a restart changes."""
    default, other = row["default"], {"on": "off", "off": "on"}
    change = (
        f"SET {row['name']} = {other.get(default, '…')}"
        if default == row["setting"]
        else f"RESET {row['name']}"
    )
    then = "and restart the server" if row.get("context") == "postmaster" else "SELECT pg_reload_conf();"
    return f"ALTER SYSTEM {change}; {then}"


def with_unit(value: str, unit: str | None) -> str:
    """A setting as a person writes it: 16384 of 8kB is 128.0 MB."""
    if not unit or not value.lstrip("-").isdigit() or value.startswith("-"):
        return value
    factor, _, measure = unit.rpartition("kB") if unit.endswith("kB") else ("", "", unit)
    if unit.endswith("kB"):
        return size(int(value) * int(factor or 1) * 1024)
    return size(int(value) * 2**20) if measure == "MB" else f"{value} {measure}"
