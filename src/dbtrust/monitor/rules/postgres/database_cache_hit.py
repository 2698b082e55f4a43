"""database.cache_hit: most of what is read is not in shared_buffers."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.counters import DATABASES, counted, own_blocks, period, setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_BLOCKS, _SHARE = 100_000, 0.9
#: With so large a part of the reads made by `monitor` itself, the ratio says nothing of the load.
_OWN = 0.1


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Only where enough was read to tell, and by others than `monitor`; the ratio alone says little, so the reads stand beside it."""
    own, _ = own_blocks(now, earlier)
    for row in counted(now, earlier, DATABASES):
        blocks = row["blks_read"] + row["blks_hit"] if row["current"] else 0
        if blocks < _BLOCKS or row["blks_hit"] >= _SHARE * blocks or row["blks_read"] < _BLOCKS / 10:
            continue
        if own >= _OWN * row["blks_read"]:
            continue
        since = period(now, earlier, DATABASES, row)
        yield finding(
            RULE.id, "warning", f"database:{row['name']}",
            f"{row['blks_hit'] / blocks:.1%} of {blocks:,} blocks were in shared_buffers; {row['blks_read']:,} were"
            " asked of the operating system, whose cache may have had them",
            "look at the statements that read most first; then at shared_buffers",
            hit_ratio=row["blks_hit"] / blocks, blocks_read=row["blks_read"],
            blocks_per_second=since.per_second(row["blks_read"]),
            read_ms=row["blk_read_time"] if setting(now, "track_io_timing") == "on" else "track_io_timing is off",
            **since.evidence,
        )  # fmt: skip


RULE = Rule("database.cache_hit", "postgres", "Low cache hit ratio", ("databases",), decide)
