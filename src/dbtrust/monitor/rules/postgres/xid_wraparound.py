"""xid.wraparound: the server refuses writes when transaction ids run out."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._wraparound import old_ids

_FIX = "end old transactions, prepared ones and unused slots, then VACUUM (FREEZE) its oldest tables"


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """An age that says that something keeps autovacuum from freezing."""
    return old_ids(now, RULE.id, "xid_age", "autovacuum_freeze_max_age", 200_000_000, "transaction id", _FIX)


RULE = Rule(
    "xid.wraparound",
    "postgres",
    "Transaction ids near their end",
    ("databases", "tables", "settings"),
    decide,
)
