"""statement.planning: the plan takes longer than the work."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import STATEMENTS, period, statements
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._statements import statement_subject, text_of

_PLANS, _MS = 20, 1.0


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Counted only with pg_stat_statements.track_planning."""
    for row in statements(now, earlier):
        plans, planning = row["plans"], row["total_plan_time"]
        if plans < _PLANS or planning < _MS * plans or planning < row["total_exec_time"]:
            continue
        yield finding(
            RULE.id, "info", statement_subject(row),
            f"is planned in {planning / plans:.1f} ms and executed in {row['total_exec_time'] / max(1, row['calls']):.1f} ms",
            "prepare it; fewer partitions or joins make the plan cheaper",
            query=text_of(now, row), plans=plans, planning_ms=planning, executing_ms=row["total_exec_time"],
            **period(now, earlier, STATEMENTS, row).evidence,
        )  # fmt: skip


RULE = Rule("statement.planning", "postgres", "Expensive planning", ("statements",), decide)
