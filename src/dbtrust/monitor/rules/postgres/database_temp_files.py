"""database.temp_files: sorts and hashes do not fit in work_mem."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.counters import DATABASES, counted, period, setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_BYTES = 64 * 2**20


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Bytes written by this database's statements because their memory was used up."""
    for row in counted(now, earlier, DATABASES):
        if not row["current"] or (row["temp_bytes"] or 0) < _BYTES:
            continue
        since = period(now, earlier, DATABASES, row)
        yield finding(
            RULE.id, "warning", f"database:{row['name']}",
            f"{row['temp_files']:,} temporary files with {size(row['temp_bytes'])} were written",
            "look at the statements that write them; SET LOCAL work_mem for those, not for everybody",
            temp_files=row["temp_files"], temp_bytes=row["temp_bytes"],
            bytes_per_second=since.per_second(row["temp_bytes"]), work_mem_kb=setting(now, "work_mem"), **since.evidence,
        )  # fmt: skip


RULE = Rule("database.temp_files", "postgres", "Temporary files", ("databases",), decide)
