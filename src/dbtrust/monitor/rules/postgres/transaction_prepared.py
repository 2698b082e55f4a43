"""transaction.prepared: a prepared transaction holds its locks through restarts."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_LONG, _VERY = 60_000, 3_600_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A prepared transaction is committed within seconds, or its coordinator has lost it."""
    for row in now.sections["prepared"]:
        if row["age_ms"] >= _LONG:
            yield finding(
                RULE.id, "error" if row["age_ms"] >= _VERY else "warning", f"transaction:{row['gid']}",
                f"{row['gid']} of {row['role']} has been prepared for {duration(row['age_ms'])} and holds its locks",
                f"in {row['database']}: COMMIT PREPARED or ROLLBACK PREPARED '{row['gid']}', as its coordinator says",
                database=row["database"], age_ms=row["age_ms"], xid_age=row["xid_age"],
            )  # fmt: skip


RULE = Rule("transaction.prepared", "postgres", "Forgotten prepared transactions", ("prepared",), decide)
