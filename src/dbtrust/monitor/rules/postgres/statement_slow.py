"""statement.slow: the statements in which the server's time goes."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.counters import STATEMENTS, period, statements
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._statements import repeated, statement_subject, text_of

#: Share of all statements' time, ms of it, ms of one call, and calls: less is not worth a plan.
_SHARE, _TOTAL, _MEAN, _CALLS, _MOST = 0.1, 1_000.0, 10.0, 5, 5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """The few that take a good part of the time and are slow in each call; no utilities, nothing done once."""
    rows = statements(now, earlier)
    total = sum(row["total_exec_time"] for row in rows)
    ranked = sorted(repeated(now, rows, _CALLS), key=lambda row: row["total_exec_time"], reverse=True)[:_MOST]
    for row in ranked:
        mean = row["total_exec_time"] / row["calls"]
        if mean < _MEAN or row["total_exec_time"] < max(_TOTAL, _SHARE * total):
            continue
        part = row["total_exec_time"] / total
        yield finding(
            RULE.id, "warning", statement_subject(row),
            f"takes {part:.0%} of the time of all statements: {row['calls']} calls of {duration(mean)}",
            "EXPLAIN (ANALYZE, BUFFERS) it with common values; dbtrust claims why tells what would change its plan",
            query=text_of(now, row), calls=row["calls"], total_ms=row["total_exec_time"], mean_ms=mean,
            share=part, rows=row["rows"], **period(now, earlier, STATEMENTS, row).evidence,
        )  # fmt: skip


RULE = Rule("statement.slow", "postgres", "Slow statements", ("statements",), decide)
