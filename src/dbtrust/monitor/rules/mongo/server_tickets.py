"""server.tickets: operations that wait for a ticket to read or write."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

#: Below this share of free tickets the next operations wait.
_FREE = 0.1


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member and kind; from 7.0 the number of tickets moves by itself, so waiting counts."""
    for row in now.sections["status"]:
        for kind in ("read", "write"):
            total, free, waiting = (row[f"{kind}_tickets{end}"] for end in ("", "_free", "_waiting"))
            short = waiting > 0 if waiting is not None else bool(total) and free <= _FREE * total
            if short:
                queue = f", {waiting} operations wait" if waiting else ""
                message = f"{free} of {total} {kind} tickets are free{queue}"
                fix = "find what runs long (operation.long_running, query.slow): more tickets make it worse"
                evidence = {"kind": kind, "free": free, "total": total, "waiting": waiting}
                yield finding(RULE.id, "warning", server_subject(row), message, fix, **evidence)


RULE = Rule("server.tickets", "mongo", "Tickets", ("status",), decide)
