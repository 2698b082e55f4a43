"""replication.lag: a replica answers with old rows."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Row, Snapshot
from dbtrust.model.units import duration, size
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding

_BYTES, _MS = 16 * 2**20, 60_000.0


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """On a primary: replicas that are behind. On a standby: its own replay, paused or behind."""
    for row in now.sections["replication"]:
        lag, late = row["lag_bytes"] or 0, row["lag_ms"] or 0
        if lag >= _BYTES or late >= _MS:
            yield finding(
                RULE.id, "warning", f"replica:{row['application'] or row['pid']}",
                f"{row['application'] or row['pid']} has {size(lag)} still to replay, {duration(late)} behind",
                "look at the replica's disk, at its long queries and at the network",
                lag_bytes=lag, lag_ms=row["lag_ms"], state=row["state"], sync_state=row["sync_state"],
            )  # fmt: skip
    for row in now.sections["receiver"]:
        why = _behind(row)
        if why:
            yield finding(
                RULE.id, "warning", "replica:this server", f"this standby {why}",
                "SELECT pg_wal_replay_resume();" if row["paused"] else "look at primary_conninfo and the server's log",
                behind_bytes=row["behind_bytes"], replay_age_ms=row["replay_age_ms"],
            )  # fmt: skip


def _behind(row: Row) -> str:
    if row["paused"]:
        return f"does not replay: it is paused, {size(row['behind_bytes'] or 0)} behind"
    if not row["receivers"]:
        return "receives nothing: it has no connection to its primary"
    return f"has {size(row['behind_bytes'])} still to replay" if (row["behind_bytes"] or 0) >= _BYTES else ""


RULE = Rule(
    "replication.lag",
    "postgres",
    "Replication lag",
    (
        "replication",
        "receiver",
    ),
    decide,
)
