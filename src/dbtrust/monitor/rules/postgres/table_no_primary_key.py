"""table.no_primary_key: rows that nothing can name."""

from __future__ import annotations

from collections.abc import Iterator

from dbtrust.model.report import Finding
from dbtrust.model.snapshot import Snapshot
from dbtrust.monitor.rule import Rule
from dbtrust.monitor.rules.postgres._common import finding, sql_name, table_subject


def decide(now: Snapshot, earlier: Snapshot | None) -> Iterator[Finding]:
    """Tables that hold data of their own; a partition has its parent's key or none."""
    for row in now.sections["tables"]:
        if row["kind"] in ("r", "p") and not row["partition"] and not row["has_primary_key"]:
            yield finding(
                RULE.id, "warning", table_subject(row),
                f"{row['name']} has no primary key: no row can be named, and logical replication cannot update it",
                f"ALTER TABLE {sql_name(row)} ADD PRIMARY KEY (…);",
                rows=row["rows"], replica_identity=row["replica_identity"],
            )  # fmt: skip


RULE = Rule(
    "table.no_primary_key", "postgres", "Tables without a primary key", ("tables",), decide, in_check=True
)
