"""replication.even_votes: a set whose number of votes wins nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """An even number of votes bears no more losses than one less; more than one arbiter can lose data."""
    rows = now.sections["members"]
    votes = sum(row["votes"] or 0 for row in rows)
    subject = f"server:{now.server.get('set')}"
    if votes and votes % 2 == 0:
        message = f"{votes} votes bear the loss of {(votes - 1) // 2}, as {votes - 1} would"
        yield finding(
            RULE.id, "warning", subject, message, "add a member, or take one vote away", votes=votes
        )
    arbiters = [row["member"] for row in rows if row["arbiter"]]
    if len(arbiters) > 1:
        message = f"{len(arbiters)} arbiters: a primary may be elected that lacks acknowledged writes"
        yield finding(
            RULE.id, "warning", subject, message, "replace them by members with data", arbiters=arbiters
        )


RULE = Rule("replication.even_votes", "mongo", "Even votes and arbiters", ("members",), decide)
