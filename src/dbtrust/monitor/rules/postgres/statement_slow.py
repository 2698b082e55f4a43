"""statement.slow: the statements in which the server's time goes."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import STATEMENTS, counted, period
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import duration, finding
from dbtrust.monitor.rules.postgres._statements import statement_subject, text_of

#: ms of one call, and share of all statements' time.
_MEAN, _SHARE, _MOST = 100.0, 0.05, 5


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """The few that take a good part of the time and are slow in each call."""
    rows = counted(now, earlier, STATEMENTS)
    total = sum(row["total_exec_time"] for row in rows)
    ranked = sorted(rows, key=lambda row: row["total_exec_time"], reverse=True)[:_MOST]
    for row in ranked:
        mean = row["total_exec_time"] / row["calls"] if row["calls"] else 0.0
        if mean < _MEAN or row["total_exec_time"] < _SHARE * total:
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
