"""replication.slot: a slot that nobody reads keeps WAL until the disk is full."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.model.units import size
from dbtrust.monitor.counters import setting
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_MUCH = 10 * 2**30


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Slots without a reader, and those whose WAL is lost."""
    for row in now.sections["slots"]:
        kept = row["retained_bytes"] or 0
        lost = row["wal_status"] in ("lost", "unreserved")
        if row["temporary"] or (row["active"] and not lost):
            continue
        bounded = setting(now, "max_slot_wal_keep_size") != "-1"
        yield finding(
            RULE.id, "error" if lost or (kept >= _MUCH and not bounded) else "warning", f"slot:{row['name']}",
            f"slot {row['name']} has lost WAL that its reader needs" if lost else
            f"nobody reads slot {row['name']}, which keeps {size(kept)} of WAL"
            + ("" if bounded else " and is not bounded by max_slot_wal_keep_size"),
            f"start its reader, or SELECT pg_drop_replication_slot('{row['name']}');",
            type=row["type"], retained_bytes=kept, wal_status=row["wal_status"], xmin_age=row["xmin_age"],
            catalog_xmin_age=row["catalog_xmin_age"], inactive_since=row["inactive_since"],
        )  # fmt: skip


RULE = Rule(
    "replication.slot",
    "postgres",
    "Inactive replication slots",
    (
        "slots",
        "settings",
    ),
    decide,
)
