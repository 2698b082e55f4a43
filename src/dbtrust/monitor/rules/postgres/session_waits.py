"""session.waits: many sessions wait for the same thing inside the server."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_MANY = 5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One look at the sessions: waits for clients are idleness, those for locks are session.blocked."""
    events: dict[str, list[int]] = {}
    for row in now.sections["activity"]:
        quiet = row["wait_event_type"] in (None, "Client", "Activity", "Lock", "Extension")
        if row["state"] == "active" and row["backend_type"] == "client backend" and not quiet:
            events.setdefault(f"{row['wait_event_type']}:{row['wait_event']}", []).append(row["pid"])
    for event, pids in sorted(events.items()):
        if len(pids) >= _MANY:
            yield finding(
                RULE.id, "info", f"wait:{event}",
                f"{len(pids)} active sessions waited for {event} in the moment of the snapshot",
                "take several snapshots; pg_wait_events tells what the event is", sessions=pids,
            )  # fmt: skip


RULE = Rule("session.waits", "postgres", "Sessions that wait for the same event", ("activity",), decide)
