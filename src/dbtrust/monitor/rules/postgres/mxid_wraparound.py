"""mxid.wraparound: the server refuses row locks when multixact ids run out."""

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
    """The same for the ids of row locks that several transactions share."""
    limit = number(now, "autovacuum_multixact_freeze_max_age", 400_000_000)
    for row in now.sections["databases"]:
        age = row["mxid_age"]
        if age < min(_END, _BEHIND * limit):
            continue
        worst = sorted((t for t in now.sections["tables"] if t["mxid_age"]), key=lambda t: -t["mxid_age"])[:5]
        yield finding(
            RULE.id, "error" if age >= _END else "warning", f"database:{row['name']}",
            f"the oldest multixact id of {row['name']} is {age:,} old; at 2,147,483,648 the server stops writing",
            "end old transactions, then VACUUM (FREEZE) its oldest tables; many SELECT … FOR SHARE make them",
            age=age, autovacuum_multixact_freeze_max_age=limit,
            oldest_tables={named(t["schema"], t["name"]): t["mxid_age"] for t in worst if row["current"]},
        )  # fmt: skip


RULE = Rule(
    "mxid.wraparound",
    "postgres",
    "Multixact ids near their end",
    (
        "databases",
        "tables",
        "settings",
    ),
    decide,
)
