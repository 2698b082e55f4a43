"""xid.wraparound: the server refuses writes when transaction ids run out."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.judge.rules.indexes import named
from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import number
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_END, _BEHIND = 1_500_000_000, 2


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """An age far above the point where autovacuum starts says that something keeps it from freezing."""
    limit = number(now, "autovacuum_freeze_max_age", 200_000_000)
    for row in now.sections["databases"]:
        age = row["xid_age"]
        if age < min(_END, _BEHIND * limit):
            continue
        worst = sorted((t for t in now.sections["tables"] if t["xid_age"]), key=lambda t: -t["xid_age"])[:5]
        yield finding(
            RULE.id, "error" if age >= _END else "warning", f"database:{row['name']}",
            f"the oldest transaction id of {row['name']} is {age:,} old; at 2,147,483,648 the server stops writing",
            "end old transactions, prepared ones and unused slots, then VACUUM (FREEZE) its oldest tables",
            age=age, autovacuum_freeze_max_age=limit,
            oldest_tables={named(t["schema"], t["name"]): t["xid_age"] for t in worst if row["current"]},
        )  # fmt: skip


RULE = Rule(
    "xid.wraparound",
    "postgres",
    "Transaction ids near their end",
    (
        "databases",
        "tables",
        "settings",
    ),
    decide,
)
