"""transaction.long: an old transaction keeps dead rows from being removed."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, who

_LONG = 600_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Transactions that work; those that wait for their program are session.idle_in_transaction."""
    for row in now.sections["activity"]:
        age = row["xact_ms"] or 0
        if row["state"] != "active" or row["backend_type"] != "client backend" or age < _LONG:
            continue
        yield finding(
            RULE.id, "warning", f"session:{row['pid']}",
            f"{who(row)} has a transaction open for {duration(age)}; no row that died since can be removed",
            "make it shorter, or run it on a replica", transaction_ms=age, statement_ms=row["query_ms"],
            xmin_age=row["xmin_age"], writes=row["writes"], database=row["database"], query=row["query"],
        )  # fmt: skip


RULE = Rule("transaction.long", "postgres", "Long transactions", ("activity",), decide)
