"""replication.member_down: members of a replica set that are not there, or no primary."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding, server_subject

_FINE = frozenset({"PRIMARY", "SECONDARY", "ARBITER"})
_SOON = frozenset({"STARTUP", "STARTUP2", "RECOVERING", "ROLLBACK"})


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each member, and one for a set without a primary."""
    rows = now.sections["members"]
    if rows and not any(row["state"] == "PRIMARY" for row in rows):
        fix = "bring back members until a majority of the votes is there"
        yield finding(
            RULE.id, "error", f"server:{now.server.get('set')}", "the set has no primary: no writes", fix
        )
    for row in rows:
        if row["state"] not in _FINE or row["health"] == 0:
            why = f": {row['message']}" if row["message"] else ""
            fix = "start it, or take it out of the set (rs.remove)"
            severity = "warning" if row["state"] in _SOON else "error"
            evidence = {key: row[key] for key in ("state", "health", "votes")}
            yield finding(RULE.id, severity, server_subject(row), f"is {row['state']}{why}", fix, **evidence)


RULE = Rule("replication.member_down", "mongo", "Members that are down", ("members",), decide)
