"""transaction.idle: transactions that are open and do nothing, or are open for long."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding

_IDLE, _OPEN = 3_000, 30_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each transaction: it holds its locks and its snapshot until it ends."""
    for row in now.sections["operations"]:
        opened, idle = row["open_ms"], row["idle_ms"]
        if opened is None or not (opened >= _OPEN or (row["idle_now"] and idle >= _IDLE)):
            continue
        what = f", {duration(idle)} of it idle" if idle else ""
        who = f" by {row['app'] or row['client']}" if row["app"] or row["client"] else ""
        message = f"a transaction is open for {duration(opened)}{what}{who}"
        fix = "end transactions at once (with_transaction), and wait for nothing inside"
        evidence = {key: row[key] for key in ("open_ms", "idle_ms", "app", "client", "member", "transaction")}
        yield finding(RULE.id, "warning", f"transaction:{row['transaction']}", message, fix, **evidence)


RULE = Rule("transaction.idle", "mongo", "Long and idle transactions", ("operations",), decide)
