"""statement.io: a statement that makes most of the reads."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.counters import STATEMENTS, period, setting, statements
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._statements import repeated, statement_subject, text_of

_BLOCKS, _SHARE, _CALLS = 10_000, 0.2, 3


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """A good part of all blocks that were not in shared_buffers; a hidden text may be `monitor`'s own."""
    rows = statements(now, earlier)
    total = sum(row["shared_blks_read"] for row in rows)
    some = [row for row in repeated(now, rows, _CALLS) if row["queryid"] is not None]
    for row in sorted(some, key=lambda row: row["shared_blks_read"], reverse=True)[:3]:
        blocks = row["shared_blks_read"] + row["shared_blks_hit"]
        if row["shared_blks_read"] < max(_BLOCKS, _SHARE * total) or row["shared_blks_hit"] >= 0.95 * blocks:
            continue
        since = period(now, earlier, STATEMENTS, row)
        timed = setting(now, "track_io_timing") == "on"
        yield finding(
            RULE.id, "warning", statement_subject(row),
            f"makes {row['shared_blks_read'] / total:.0%} of all reads: {size(row['shared_blks_read'] * 8192)} in"
            f" {row['calls']:,} calls, hit ratio {row['shared_blks_hit'] / blocks:.1%}",
            "see in EXPLAIN (ANALYZE, BUFFERS) which node reads; an index may read less",
            query=text_of(now, row), share=row["shared_blks_read"] / total, blocks_read=row["shared_blks_read"], hit_ratio=row["shared_blks_hit"] / blocks,
            blocks_per_second=since.per_second(row["shared_blks_read"]),
            read_ms=row["read_time"] if timed else "track_io_timing is off", **since.evidence,
        )  # fmt: skip


RULE = Rule(
    "statement.io",
    "postgres",
    "Statements that read much",
    (
        "statements",
        "settings",
    ),
    decide,
)
