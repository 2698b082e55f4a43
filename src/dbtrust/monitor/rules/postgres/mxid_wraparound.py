"""mxid.wraparound: the server refuses row locks when multixact ids run out."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._wraparound import old_ids

_FIX = "end old transactions, then VACUUM (FREEZE) its oldest tables; many SELECT … FOR SHARE make them"


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """An age that says that something keeps autovacuum from freezing."""
    return old_ids(
        now, RULE.id, "mxid_age", "autovacuum_multixact_freeze_max_age", 400_000_000, "multixact id", _FIX
    )


RULE = Rule(
    "mxid.wraparound", "postgres", "Multixact ids near their end", ("databases", "tables", "settings"), decide
)
