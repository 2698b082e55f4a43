"""statement.temp_files: a statement that sorts or hashes on the disk."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.counters import STATEMENTS, period, setting, statements
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding
from dbtrust.monitor.rules.postgres._statements import repeated, statement_subject, text_of

_BLOCKS, _CALLS = 8_192, 1


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """What made the temporary files, the largest first."""
    written = [row for row in statements(now, earlier) if row["temp_blks_written"] >= _BLOCKS]
    rows = repeated(now, written, _CALLS)
    for row in sorted(rows, key=lambda row: row["temp_blks_written"], reverse=True)[:3]:
        yield finding(
            RULE.id, "warning", statement_subject(row),
            f"wrote {size(row['temp_blks_written'] * 8192)} of temporary files in {row['calls']:,} calls",
            "SET LOCAL work_mem for it, or let an index give the order",
            query=text_of(now, row), temp_blocks=row["temp_blks_written"], calls=row["calls"],
            work_mem_kb=setting(now, "work_mem"), **period(now, earlier, STATEMENTS, row).evidence,
        )  # fmt: skip


RULE = Rule(
    "statement.temp_files",
    "postgres",
    "Statements that write temporary files",
    (
        "statements",
        "settings",
    ),
    decide,
)
