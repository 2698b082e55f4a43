"""setting.pending_restart: the file says one thing, the server does another."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import settings
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._settings import with_unit


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Settings whose new value in the files has no effect yet."""
    for name, row in settings(now).items():
        if row["pending_restart"]:
            yield finding(
                RULE.id, "warning", f"setting:{name}",
                f"{name} was changed in the files and is still {with_unit(row['setting'], row['unit'])}: it waits for a restart",
                "restart the server, or take the change back", setting=row["setting"], source=row["source"],
            )  # fmt: skip


RULE = Rule("setting.pending_restart", "postgres", "Settings that wait for a restart", ("settings",), decide)
