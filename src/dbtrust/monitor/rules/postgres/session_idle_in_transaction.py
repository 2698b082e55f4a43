"""session.idle_in_transaction: an open transaction that does nothing holds locks and old rows."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, who

_LONG, _VERY = 60_000, 3_600_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Sessions whose transaction waits for their program."""
    for row in now.sections["activity"]:
        idle = row["state_ms"] or 0
        if not str(row["state"]).startswith("idle in transaction") or idle < _LONG:
            continue
        yield finding(
            RULE.id, "error" if idle >= _VERY else "warning", f"session:{row['pid']}",
            f"{who(row)} has been idle in a transaction for {duration(idle)}"
            + (" and keeps old rows from being removed" if row["xmin_age"] is not None else ""),
            f"SELECT pg_terminate_backend({row['pid']}); and set idle_in_transaction_session_timeout",
            idle_ms=idle, transaction_ms=row["xact_ms"], writes=row["writes"], database=row["database"],
            query=row["query"],
        )  # fmt: skip


RULE = Rule("session.idle_in_transaction", "postgres", "Idle in transaction", ("activity",), decide)
