"""operation.long_running: operations that have run for seconds and still run."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.mongo._common import finding

_LONG, _VERY_LONG = 5_000, 600_000


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """One finding for each, from 5 seconds on, the longest first; index builds have a diagnostic of their own."""
    rows = [r for r in now.sections["operations"] if r["running_ms"] >= _LONG and not r["index_build"]]
    for row in sorted(rows, key=lambda r: -r["running_ms"])[:20]:
        what = f"{row['operation']} on {row['database']}.{row['collection']}"
        waits = ", waiting for a lock" if row["waiting_for_lock"] else ""
        message = f"{what} runs for {duration(row['running_ms'])}{waits}: {row['shape']} ({row['plan'] or 'no plan told'})"
        fix = f"if it is not wanted: db.killOp({row['opid']}); give such operations maxTimeMS"
        evidence = {
            key: row[key] for key in ("opid", "running_ms", "plan", "app", "client", "member", "shape")
        }
        severity = "error" if row["running_ms"] >= _VERY_LONG else "warning"
        yield finding(RULE.id, severity, f"operation:{row['member']}/{row['opid']}", message, fix, **evidence)


RULE = Rule("operation.long_running", "mongo", "Long-running operations", ("operations",), decide)
