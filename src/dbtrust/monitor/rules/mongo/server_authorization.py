"""server.no_authorization: a server that lets everybody in from other machines."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Without authorization and bound to more than the loopback interface."""
    for row in now.sections["settings"]:
        others = [a for a in str(row["bind_ip"]).split(",") if not _local(a.strip())]
        if not row["authorization"] and others:
            message = f"no authorization, and it listens on {', '.join(others)}: everybody who reaches it may do all"
            fix = "start it with --auth (or a key file), and bind it to the addresses that are needed"
            subject = f"server:{now.server.get('member') or 'mongod'}"
            yield finding(RULE.id, "error", subject, message, fix, bind_ip=row["bind_ip"])


def _local(address: str) -> bool:
    return address.startswith(("127.", "/")) or address in ("localhost", "::1", "")


RULE = Rule("server.no_authorization", "mongo", "Access without authorization", ("settings",), decide)
