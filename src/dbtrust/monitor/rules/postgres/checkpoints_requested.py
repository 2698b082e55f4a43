"""checkpoints.requested: checkpoints come because WAL is full, not by the clock."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import duration
from dbtrust.monitor.counters import CHECKPOINTS, counted, number, period, setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_SOME = 10


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Most were asked for, and they come more often than checkpoint_timeout."""
    for row in counted(now, earlier, CHECKPOINTS):
        since = period(now, earlier, CHECKPOINTS, row)
        every = since.seconds / row["requested"] if since.seconds and row["requested"] else None
        if row["requested"] < max(_SOME, row["timed"]) or every is None:
            continue
        if every < number(now, "checkpoint_timeout", 300):
            yield finding(
                RULE.id, "warning", "setting:max_wal_size",
                f"{row['requested']:,} of {row['requested'] + row['timed']:,} checkpoints were asked for, one every"
                f" {duration(every * 1000)}",
                "raise max_wal_size; a backup or a CHECKPOINT by hand counts, too",
                requested=row["requested"], timed=row["timed"], max_wal_size_mb=setting(now, "max_wal_size"),
                **since.evidence,
            )  # fmt: skip


RULE = Rule(
    "checkpoints.requested",
    "postgres",
    "Checkpoints too frequent",
    (
        "checkpoints",
        "settings",
    ),
    decide,
)
